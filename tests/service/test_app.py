"""What holds for every route."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.settings import Settings


def test_the_service_needs_no_torch() -> None:
    program = "import service.app, sys; assert not {'torch', 'trainer', 'onnxruntime'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/embed", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_every_error_is_a_problem_document(
    http: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:twofold:problem:{code}")
    assert body["title"]
    assert body["detail"]


def test_a_request_id_is_made_or_taken_over_when_it_is_harmless(http: httpx.Client) -> None:
    made = http.get("/healthz").headers["x-request-id"]
    assert len(made) == 32
    assert http.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    for harmful in ('a"b', "a b", "x" * 65, "{}"):
        assert http.get("/healthz", headers={"X-Request-ID": harmful}).headers["x-request-id"] != harmful


def test_the_document_names_both_body_forms_and_every_problem(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    for path in ("/embed", "/content"):
        operation = document["paths"][path]["post"]
        body = operation["requestBody"]["content"]
        assert {"multipart/form-data", "audio/wav", "audio/flac", "audio/ogg", "audio/mpeg"} <= body.keys()
        statuses = {"200", "400", "401", "403", "413", "415", "422", "429", "503"}
        assert statuses <= operation["responses"].keys()
        assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert document["components"]["schemas"]["Problem"]["required"]
    assert http.get("/docs").status_code == 200


def test_a_defect_is_answered_without_its_inside(tmp_path: Path, tiny_models: Path) -> None:
    app = create_app(Settings(models_dir=tiny_models, state_dir=tmp_path))

    @app.get("/defect")
    async def defect() -> None:
        raise RuntimeError("a secret of the inside")

    async def scenario() -> None:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            answer = await client.get("/defect")
            assert answer.status_code == 500
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "internal"
            assert "secret" not in answer.text
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(scenario())
