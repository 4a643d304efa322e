"""POST /enrolments: everybody of an archive, in the background."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.audio import encode_opus
from service.settings import Settings
from tests.service.bulk.test_archive import gzipped, zipped
from tests.service.conftest import Voice
from tests.service.in_process import serving

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def http(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service of its own: it fills with people."""
    state_dir = tmp_path_factory.mktemp("state")
    limits = {"max_speakers": 3, "max_bytes": 2**20, "min_speech_enrol_s": 1.0}
    with serving(Settings(models_dir=tiny_models, state_dir=state_dir, **limits)) as client:
        yield client


@pytest.fixture(autouse=True)
def _nobody_is_enrolled(http: httpx.Client) -> Iterator[None]:
    yield
    for speaker in http.get("/speakers").json()["speakers"]:
        http.delete(f"/speakers/{speaker['speaker_id']}")


def sent(http: httpx.Client, archive: bytes, **form: str) -> str:
    answer = http.post("/enrolments", files={"archive": ("people.zip", archive)}, data=form)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/enrolments/{answer.json()['job_id']}"
    return str(answer.headers["location"])


def ended(http: httpx.Client, location: str) -> dict[str, Any]:
    deadline = time.monotonic() + LIMIT_S
    while True:
        job: dict[str, Any] = http.get(location).json()
        if job["finished_at"]:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def outcomes(job: dict[str, Any]) -> dict[str, str]:
    return {r["file"]: r["outcome"] for person in job["people"] for r in person["recordings"]}


def test_a_report_says_what_became_of_each_recording(http: httpx.Client, voices: list[Voice]) -> None:
    ann, bob, cy, *_ = voices
    archive = zipped(
        {
            "ann/1.opus": ann.short,
            "ann/2.opus": b"RIFF no audio",
            "ann/3.opus": ann.short,
            "ann/notes.txt": b"Left out.",
            "bob.opus": bob.short,
            "cy/silence.opus": encode_opus(np.zeros(32_000, np.float32)),
            "no id!.opus": cy.short,
        }
    )
    form = {"collection": "staff", "consent": "They agreed.", "retain_audio": "true"}
    location = sent(http, archive, **form)
    events = http.get(f"{location}/events").text
    last = json.loads(events.split("data: ")[-1])
    job = ended(http, location)
    assert (last["state"], last["progress"]) == (job["state"], job["progress"]) == ("succeeded", 1.0)
    assert outcomes(job) == {
        "ann/1.opus": "enrolled",
        "ann/2.opus": "refused",
        "ann/3.opus": "unchanged",
        "bob.opus": "enrolled",
        "cy/silence.opus": "refused",
        "no id!.opus": "refused",
    }
    assert (job["enrolled"], job["refused"]) == (2, 3)
    reasons = {r["file"]: r["reason"] for person in job["people"] for r in person["recordings"]}
    assert "holds no recording" in reasons["ann/2.opus"]
    assert "No speech" in reasons["cy/silence.opus"]
    assert "no speaker id" in reasons["no id!.opus"]
    listed = http.get("/speakers", params={"collection": "staff"}).json()["speakers"]
    assert [(s["speaker_id"], s["utterances"], s["consent"]["text"]) for s in listed] == [
        ("ann", 1, "They agreed."),
        ("bob", 1, "They agreed."),
    ]
    assert http.get("/speakers/bob/recordings/1").status_code == 200

    again = ended(http, sent(http, archive))
    assert outcomes(again)["bob.opus"] == "unchanged"
    assert http.get("/speakers/ann").json()["utterances"] == 1
    assert http.delete(location).status_code == 204
    assert http.get(location).status_code == 404


def test_who_is_erased_while_it_runs_is_not_enrolled(http: httpx.Client, voices: list[Voice]) -> None:
    people = {f"{name}.opus": voice.short for name, voice in zip(("ann", "bob", "zoe"), voices, strict=False)}
    location = sent(http, gzipped(people))
    # Whether zoe was enrolled already or still waited, nothing is left.
    assert http.delete("/speakers/zoe").status_code == 204
    job = ended(http, location)
    assert [person["speaker_id"] for person in job["people"]] == ["ann", "bob", None]
    assert "zoe" not in json.dumps(job)
    assert [s["speaker_id"] for s in http.get("/speakers").json()["speakers"]] == ["ann", "bob"]


def test_limits_and_other_bodies(http: httpx.Client, voices: list[Voice]) -> None:
    people = {f"{name}.opus": voice.short for name, voice in zip("abcd", voices, strict=False)}
    job = ended(http, sent(http, zipped(people)))
    assert [*outcomes(job).values()] == ["enrolled", "enrolled", "enrolled", "refused"]
    assert "TWOFOLD_MAX_SPEAKERS" in job["people"][3]["recordings"][0]["reason"]
    raw = http.post("/enrolments", content=zipped(people), headers={"Content-Type": "application/zip"})
    assert raw.status_code == 202
    ended(http, raw.headers["location"])
    for content, status in ((zipped({"../a.wav": b""}), 400), (gzipped({"a.wav": bytes(2**23)}), 413)):
        refused = http.post("/enrolments", content=content, headers={"Content-Type": "application/zip"})
        assert refused.status_code == status, refused.text
    wav = http.post("/enrolments", files={"archive": ("a.wav", b"RIFF....WAVEfmt ")})
    assert (wav.status_code, wav.json()["code"]) == (415, "unsupported_media")
