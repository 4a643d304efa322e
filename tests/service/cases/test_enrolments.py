"""B1, B2 and B4: two voices in one recording, a stranger in an enrolment, a probe with two people."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from bundle.arrays import Float32
from tests.service.conftest import newest_shipped
from trainer.audio.folders import read_audio

ANN, BOB = "1998", "3005"
RATE_HZ = 16_000
PART_S = 8.0


def speech(examples: Path, reader: str) -> Float32:
    """All recordings of a reader, one after the other (n,)."""
    return np.concatenate([read_audio(path) for path in sorted((examples / "audio" / reader).glob("*.opus"))])


def wav(samples: Float32) -> tuple[str, bytes]:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, format="WAV")
    return "a.wav", file.getvalue()


@pytest.fixture(scope="module")
def ann(examples: Path) -> Float32:
    return speech(examples, ANN)


@pytest.fixture(scope="module")
def both(examples: Path, ann: Float32) -> Float32:
    part = round(PART_S * RATE_HZ)
    return np.concatenate([ann[:part], speech(examples, BOB)[:part]])


@pytest.fixture(scope="module")
def service(start_service: Any) -> Iterator[httpx.Client]:
    with start_service(newest_shipped("autodecompose")).client() as client:
        yield client


@pytest.fixture
def http(service: httpx.Client) -> Iterator[httpx.Client]:
    yield service
    for speaker in service.get("/speakers").json()["speakers"]:
        service.delete(f"/speakers/{speaker['speaker_id']}")


def enrol(
    http: httpx.Client, samples: Float32, path: str = "/speakers", **form: str
) -> tuple[int, dict[str, Any]]:
    answer = http.post(path, data=form, files={"audio": wav(samples)})
    return answer.status_code, answer.json()


def kinds(body: dict[str, Any]) -> list[str]:
    return [issue["kind"] for issue in body["quality"]["issues"]]


def test_b1_two_voices_in_one_file_are_told_with_seconds(http: httpx.Client, both: Float32) -> None:
    status, body = enrol(http, both, speaker_id="ann")
    assert (status, body["quality"]["ok"]) == (201, False)
    (issue,) = (issue for issue in body["quality"]["issues"] if issue["kind"] == "two_voices")
    assert (issue["start_s"], issue["end_s"]) == pytest.approx((PART_S, 2 * PART_S), abs=1.5)


def test_b1_strict_stores_nothing(http: httpx.Client, both: Float32) -> None:
    status, body = enrol(http, both, speaker_id="ann", strict="true")
    assert (status, body["code"]) == (422, "poor_enrolment")
    assert [issue["kind"] for issue in body["issues"]] == ["two_voices"]
    assert http.get("/speakers").json()["total"] == 0


def test_one_voice_is_no_issue_even_where_strict(http: httpx.Client, ann: Float32) -> None:
    status, body = enrol(http, ann, speaker_id="ann", strict="true")
    assert (status, body["quality"]["ok"], body["quality"]["issues"]) == (201, True, [])


def test_b2_a_strangers_recording_is_named(http: httpx.Client, examples: Path, ann: Float32) -> None:
    half = len(ann) // 2
    enrol(http, ann[:half], speaker_id="ann")
    stranger = speech(examples, BOB)[: 12 * RATE_HZ]
    status, body = enrol(http, stranger, "/speakers/ann/audio", strict="true")
    assert (status, body["code"]) == (422, "poor_enrolment")
    assert http.get("/speakers/ann").json()["utterances"] == 1
    assert "other_voice" not in kinds(enrol(http, ann[half:], "/speakers/ann/audio")[1])
    enrol(http, stranger, "/speakers/ann/audio")
    (issue,) = (
        i for i in http.get("/speakers/ann").json()["quality"]["issues"] if i["kind"] == "other_voice"
    )
    assert issue["recording"] == 3


def test_b4_a_probe_with_two_people_warns(http: httpx.Client, ann: Float32, both: Float32) -> None:
    enrol(http, ann, speaker_id="ann")
    for path, form in (("/identify", {}), ("/verify", {"speaker_id": "ann"})):
        for samples, warned in ((both, True), (ann[: 10 * RATE_HZ], False)):
            answer = http.post(path, data=form, files={"audio": wav(samples)}).json()
            assert any("Two voices" in warning for warning in answer["warnings"]) is warned
