"""Part B: two voices in one recording, a stranger in an enrolment, the same recording again, two people."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import soxr

from bundle.arrays import Float32
from service.audio import encode_opus
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


def test_b1_two_voices_in_turns(http: httpx.Client, examples: Path, ann: Float32) -> None:
    turn = 4 * RATE_HZ
    bob = speech(examples, BOB)
    turns = np.concatenate([ann[:turn], bob[:turn], ann[turn : 2 * turn], bob[turn : 2 * turn]])
    assert "two_voices" in kinds(enrol(http, turns, speaker_id="ann")[1])


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


def as_opus(samples: Float32) -> bytes:
    return encode_opus(samples)


def as_telephone(samples: Float32) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(samples, RATE_HZ, 8000), 8000, format="WAV", subtype="ULAW")
    return file.getvalue()


def as_quiet_piece(samples: Float32) -> bytes:
    return wav(0.05 * samples[5000:])[1]


@pytest.mark.parametrize("again", [as_opus, as_telephone, as_quiet_piece])
def test_b3_the_same_recording_counts_once(
    http: httpx.Client, ann: Float32, again: Callable[[Float32], bytes]
) -> None:
    samples = ann[: 8 * RATE_HZ]
    first = enrol(http, samples, speaker_id="ann")[1]
    assert first["feedback"] == ["audio_ok"]
    assert (first["enrolled_percent"], first["remaining_speech_s"]) == (
        math.floor(10 * first["speech_s"]),
        pytest.approx(10 - first["speech_s"], abs=0.01),
    )
    files = [("audio", ("a.wav", again(samples))), ("audio", wav(ann[8 * RATE_HZ :]))]
    strict = http.post("/speakers/ann/audio", data={"strict": "true"}, files=files).json()
    assert (strict["code"], [issue["kind"] for issue in strict["issues"]]) == (
        "poor_enrolment",
        ["same_recording"],
    )
    both = http.post("/speakers/ann/audio", files=files).json()
    assert (both["utterances"], both["feedback"]) == (2, ["same_recording", "audio_ok"])
    (issue,) = (i for i in both["quality"]["issues"] if i["kind"] == "same_recording")
    assert issue["recording"] == 1
    assert both["enrolled_percent"] == 100
    alone = http.post("/speakers/ann/audio", files=files[:1]).json()
    assert (alone["utterances"], alone["speech_s"]) == (2, both["speech_s"])


def test_b3_one_file_twice_in_a_request(http: httpx.Client, ann: Float32) -> None:
    file = ("audio", wav(ann[: 8 * RATE_HZ]))
    body = http.post("/speakers", data={"speaker_id": "ann"}, files=[file, file]).json()
    assert (body["utterances"], body["feedback"]) == (1, ["audio_ok", "same_recording"])


def test_b3_a_recording_may_come_again_to_be_retained(http: httpx.Client, ann: Float32) -> None:
    samples = ann[: 8 * RATE_HZ]
    first = enrol(http, samples, speaker_id="ann")[1]
    again = enrol(http, samples, "/speakers/ann/audio", retain_audio="true")[1]
    assert (again["utterances"], again["speech_s"], again["audio_retained"]) == (1, first["speech_s"], True)


def test_sound_that_repeats_in_a_recording_is_said(http: httpx.Client, ann: Float32) -> None:
    part = ann[: 6 * RATE_HZ]
    body = enrol(http, np.concatenate([part, part]), speaker_id="ann")[1]
    (issue,) = (i for i in body["quality"]["issues"] if i["kind"] == "repeated")
    assert (issue["start_s"], issue["end_s"]) == pytest.approx((6, 12), abs=1)


def test_b4_a_probe_with_two_people_warns(http: httpx.Client, ann: Float32, both: Float32) -> None:
    enrol(http, ann, speaker_id="ann")
    for path, form in (("/identify", {}), ("/verify", {"speaker_id": "ann"})):
        for samples, warned in ((both, True), (ann[: 10 * RATE_HZ], False)):
            answer = http.post(path, data=form, files={"audio": wav(samples)}).json()
            assert any("Two voices" in warning for warning in answer["warnings"]) is warned
