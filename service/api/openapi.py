"""The OpenAPI document, the reference of the API: tags, operation ids, examples, schemas of problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.api.links import add_links
from service.api.problems import Problem, problem_responses

#: Where a schema of a request body finds the schemas that it names.
REFERENCE = "#/components/schemas/{model}"
TAGS = [
    {"name": name, "description": description}
    for name, description in (
        ("speakers", "Enrolled voices: enrol, list, change, erase."),
        ("recognition", "Who speaks in a recording, or whether it is somebody."),
        ("diarization", "Who spoke when in a recording of several people."),
        ("embeddings", "Voices and contents as vectors."),
        ("gallery", "All voices together: as a file, and as a picture."),
        ("generation", "Sounds of a label, or in the style of a recording."),
        ("fine-tuning", "Jobs that adapt the model to recordings, without labels."),
        ("models", "Versions of models, and which one serves."),
        ("health", "For balancers and Prometheus. Never behind a key."),
    )
]
#: What to send, as arguments of curl, and what comes back, by operation id.
EXAMPLES = Path(__file__).with_name("examples.json")
_BASE_URL = "http://127.0.0.1:8000"
_PATH_EXAMPLES = {
    "speaker_id": "ann",
    "number": 1,
    "collection": "staff",
    "job_id": "01923f6c0b5e7a3c9d1e2f3a4b5c6d7e",
    "version": "2.1.0",
}


def operation_id(route: APIRoute) -> str:
    """The name of the function that answers, as `list_speakers`. FastAPI warns where two have one name."""
    return route.name


def complete_document(app: FastAPI) -> None:
    """Adds what FastAPI does not know: problems in place of its own errors, schemas of bodies, examples."""
    generate = app.openapi
    invalid = problem_responses(422)[422]
    examples = json.loads(EXAMPLES.read_text())

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:  # each request looks into it
            return app.openapi_schema
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for method, path, operation in operations(document):
            if "422" in operation["responses"]:
                operation["responses"]["422"] = invalid
            for body in operation.get("requestBody", {}).get("content", {}).values():
                schemas |= body["schema"].pop("$defs", {})
            if (example := examples.get(operation["operationId"])) is not None:
                _show(example, method, path, operation)
        add_links(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of each call of a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _show(example: Mapping[str, Any], method: str, path: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = _PATH_EXAMPLES[parameter["name"]]
            path = path.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"])))
    sent = example.get("send", "")
    verb = "" if method == "GET" or (method == "POST" and sent) else f"-X {method} "
    command = f"curl {verb}{sent}{' ' if sent else ''}{_BASE_URL}{path}"
    operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": command}]
    if "answer" in example:
        code = next(code for code in ("200", "201", "202") if code in operation["responses"])
        operation["responses"][code]["content"]["application/json"]["example"] = example["answer"]
