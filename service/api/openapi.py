"""The OpenAPI document, which is the reference."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.api.problems import Problem


def document_problems(app: FastAPI) -> None:
    """Adds the schema that every problem response refers to."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()  # FastAPI keeps one document and hands it out again
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]
