"""The purpose of it all, with the shipped models and real people: who is it, and is it nobody?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

MISTAKES = {"autodecompose": 0, "barlow_twins": 2}  # allowed of 14 verifications; of 8 with the examples


@pytest.fixture(scope="module")
def enrolled(voices: Any) -> int:
    """Of ten voices the first seven are enrolled, of six the first four; nobody knows the others."""
    return len(voices) * 7 // 10


@pytest.fixture(scope="module")
def http(start_service: Any, shipped_bundle: Path, voices: Any, enrolled: int) -> Any:
    """A shipped model with people enrolled from about 10 s each."""
    with start_service(shipped_bundle).client() as client:
        for i, voice in enumerate(voices[:enrolled]):
            files = [("audio", ("a.opus", audio)) for audio in voice.enrol]
            answer = client.post("/speakers", data={"speaker_id": f"s{i}"}, files=files)
            assert answer.status_code == 201, answer.text
        yield client


def identify(http: httpx.Client, audio: bytes) -> Any:
    answer = http.post("/identify", files={"audio": ("probe.opus", audio)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_enrolled_people_are_recognised(http: httpx.Client, voices: Any, enrolled: int) -> None:
    matches = [identify(http, voice.probe)["match"] for voice in voices[:enrolled]]
    assert [match and match["speaker_id"] for match in matches] == [f"s{i}" for i in range(enrolled)]


def test_unknown_people_are_nobody(http: httpx.Client, voices: Any, enrolled: int) -> None:
    for voice in voices[enrolled:]:
        body = identify(http, voice.probe)
        assert body["match"] is None, body
        assert body["candidates"][0]["score"] < body["threshold"]


def test_verification(http: httpx.Client, voices: Any, enrolled: int, shipped_bundle: Path) -> None:
    wrong = []
    for i in range(enrolled):
        for claimed in (i, (i + 1) % enrolled):
            form = {"speaker_id": f"s{claimed}"}
            answer = http.post("/verify", data=form, files={"audio": ("probe.opus", voices[i].probe)})
            if answer.json()["accepted"] != (claimed == i):
                wrong.append(answer.text)
    assert len(wrong) <= MISTAKES[shipped_bundle.parent.name], wrong
