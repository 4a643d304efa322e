"""POST /embed."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.service.conftest import RunningService, StartService, TinyModel


@pytest.fixture(scope="module")
def running(start_service: StartService, tiny_model: TinyModel) -> RunningService:
    return start_service(tiny_model.path)


@pytest.fixture
def http(running: RunningService) -> Iterator[httpx.Client]:
    with running.client() as client:
        yield client


@pytest.mark.parametrize("segments", [True, False])
def test_multipart_and_raw_body_answer_alike(
    http: httpx.Client, tiny_model: TinyModel, speech: bytes, segments: bool
) -> None:
    flag = {"segments": str(segments).lower()}
    form = http.post("/embed", files={"audio": ("a.ogg", speech)}, data=flag)
    raw = http.post("/embed", content=speech, params=flag, headers={"Content-Type": "audio/ogg"})
    assert form.status_code == raw.status_code == 200
    answer: dict[str, Any] = form.json()
    assert answer["model"] == tiny_model.id
    (result,) = answer["results"]
    assert result["filename"] == "a.ogg"
    assert raw.json()["results"] == [result | {"filename": None}]
    assert len(result["embedding"]) == answer["dim"] == 8
    assert math.hypot(*result["embedding"]) == pytest.approx(1, abs=1e-6)
    assert 0 < result["speech_s"] <= result["duration_s"]
    assert ("segments" in result) == segments


def test_segments_are_in_order_inside_the_recording(http: httpx.Client, speech: bytes) -> None:
    answer = http.post("/embed?segments=true", content=speech, headers={"Content-Type": "audio/ogg"})
    (result,) = answer.json()["results"]
    segments = result["segments"]
    assert len(segments) >= result["speech_s"] // 1.024
    starts = [segment["start_s"] for segment in segments]
    assert starts == sorted(starts)
    for segment in segments:
        assert 0 <= segment["start_s"] < segment["end_s"] <= result["duration_s"] + 1e-6
        assert math.hypot(*segment["embedding"]) == pytest.approx(1, abs=1e-6)


def test_several_files_come_back_in_order(http: httpx.Client, speech: bytes) -> None:
    files = [("audio", (f"{i}.ogg", speech)) for i in range(3)]
    answer = http.post("/embed", files=files).json()
    assert [result["filename"] for result in answer["results"]] == ["0.ogg", "1.ogg", "2.ogg"]
    assert len({tuple(result["embedding"]) for result in answer["results"]}) == 1


def test_npy_holds_a_row_a_file_and_names_the_model(
    http: httpx.Client, tiny_model: TinyModel, speech: bytes
) -> None:
    files = [("audio", (f"{i}.ogg", speech)) for i in range(2)]
    npy = {"Accept": "application/x-npy"}
    answer = http.post("/embed", files=files, headers=npy)
    assert (answer.headers["content-type"], answer.headers["x-model"]) == ("application/x-npy", tiny_model.id)
    rows = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert (rows.dtype, rows.shape) == (np.float32, (2, 8))
    expected = [result["embedding"] for result in http.post("/embed", files=files).json()["results"]]
    np.testing.assert_allclose(rows, expected, atol=1e-7)
    refused = http.post("/embed", files=files, data={"segments": "true"}, headers=npy)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert "segments" in refused.json()["detail"]


def test_one_bad_file_refuses_all_and_is_named(http: httpx.Client, speech: bytes) -> None:
    answer = http.post("/embed", files=[("audio", ("a", speech)), ("audio", ("b", b"RIFF"))])
    assert answer.status_code in (415, 422)
    assert answer.json()["file_index"] == 1


def test_too_little_speech_says_how_much_is_needed(
    start_service: Any, tiny_models: Any, speech: bytes
) -> None:
    service = start_service(tiny_models, min_speech_embed_s=100)
    with service.client() as http:
        answer = http.post("/embed", content=speech, headers={"Content-Type": "audio/ogg"})
    service.stop()
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "insufficient_speech"
    assert problem["required_s"] == 100
    assert 0 < problem["speech_s"] < 100


def test_one_voice_is_nearer_to_itself_than_to_another(
    start_service: Any, shipped_bundle: Any, examples: Path
) -> None:
    """The shipped models, over HTTP, on two recordings of a reader and one of another."""
    service = start_service(shipped_bundle)
    with service.client() as http:
        first, second = (sorted((examples / "audio" / reader).iterdir()) for reader in ("1998", "533"))
        paths = [*first[:2], second[0]]
        files = [("audio", (path.name, path.read_bytes())) for path in paths]
        a, b, other = (r["embedding"] for r in http.post("/embed", files=files).json()["results"])
    service.stop()

    def cosine(x: list[float], y: list[float]) -> float:
        return sum(p * q for p, q in zip(x, y, strict=True))

    assert cosine(a, b) > cosine(a, other)
