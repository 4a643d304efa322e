"""Every odd input over HTTP: the answer it is owed, in both body forms; nothing is stored, nothing dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.odd_inputs import ODD_INPUTS, OddInput

RAW_TYPES = frozenset(("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "application/octet-stream"))


@pytest.fixture(scope="module")
def lone_client(start_service: Any, tiny_models: Path) -> Iterator[httpx.Client]:
    """A service of this module's own; at the end it lives, and nobody is enrolled."""
    service = start_service(tiny_models)
    with service.client() as client:
        yield client
        assert client.get("/speakers").json()["total"] == 0
        assert 'status="500"' not in client.get("/metrics").text
    assert service.process.poll() is None
    service.stop()
    assert '"defect"' not in service.log_file.read_text()


def check(answer: httpx.Response, case: OddInput) -> None:
    assert answer.status_code == case.status, answer.text[:500]
    if case.code is None:
        assert answer.json()["results"][0]["speech_s"] > 0
        return
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == case.code


@pytest.mark.parametrize("case", ODD_INPUTS, ids=lambda case: case.name)
def test_odd_input(lone_client: httpx.Client, case: OddInput) -> None:
    data = case.build()
    files = {"audio": (case.filename, data, case.content_type)}
    form = lone_client.post("/embed", files=files)
    check(form, case)
    if case.content_type in RAW_TYPES:
        raw = lone_client.post("/embed", content=data, headers={"Content-Type": case.content_type})
        check(raw, case)
    if case.status != 200:
        check(
            lone_client.post("/speakers", files=files, data={"speaker_id": "odd", "retain_audio": "true"}),
            case,
        )
