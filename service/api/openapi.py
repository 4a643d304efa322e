"""The OpenAPI document, the reference of the API."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.api.problems import Problem, problem_responses


def document_problems(app: FastAPI) -> None:
    """Adds the schema of problem answers and uses it in place of FastAPI's own error schemas."""
    generate = app.openapi
    invalid = problem_responses(422)[422]

    def openapi() -> dict[str, Any]:
        document = generate()  # FastAPI makes it once and then returns the same object
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path in document["paths"].values():
            for operation in path.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"] = invalid
        return document

    app.openapi = openapi  # type: ignore[method-assign]
