"""POST /diarize with the shipped model and the conversations of examples/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from service.audio import encode_wav
from service.cli import app
from tests.service.conftest import newest_shipped

ENROLLED = {"1998": "1998-15444-0002", "3005": "3005-163389-0003"}


@pytest.fixture(scope="module")
def http(start_service: Any, examples: Path) -> Any:
    """The shipped model with the two people of one conversation enrolled."""
    with start_service(newest_shipped("autodecompose")).client() as client:
        for speaker, clip in ENROLLED.items():
            audio = (examples / "audio" / speaker / f"{clip}.opus").read_bytes()
            form = {"speaker_id": speaker, "name": f"Reader {speaker}"}
            answer = client.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
            assert answer.status_code == 201, answer.text
        yield client


def ask(http: httpx.Client, examples: Path, name: str, accept: str = "*/*", **form: str) -> httpx.Response:
    audio = (examples / "conversations" / f"{name}.opus").read_bytes()
    files = {"audio": (f"{name}.opus", audio)}
    return http.post("/diarize", data=form, files=files, headers={"Accept": accept})


def reference(examples: Path, name: str) -> list[str]:
    lines = (examples / "conversations" / f"{name}.rttm").read_text().splitlines()
    return [line.split()[7] for line in lines]


def changes(labels: list[str]) -> list[str]:
    return [label for i, label in enumerate(labels) if i == 0 or labels[i - 1] != label]


def test_enrolled_people_are_named_in_the_order_in_which_they_speak(
    http: httpx.Client, examples: Path
) -> None:
    answer = ask(http, examples, "1998-3005")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert changes([s["label"] for s in body["segments"]]) == reference(examples, "1998-3005")
    for before, after in zip(body["segments"], body["segments"][1:], strict=False):
        assert before["end_s"] <= after["start_s"] + 1e-3
    spoken = {s["label"]: s["speech_s"] for s in body["speakers"]}
    lengths = dict.fromkeys(spoken, 0.0)
    for segment in body["segments"]:
        lengths[segment["label"]] += segment["end_s"] - segment["start_s"]
        assert segment["speaker"] == {"speaker_id": segment["label"], "name": f"Reader {segment['label']}"}
    assert lengths == pytest.approx(spoken, abs=0.05)


def test_strangers_are_numbered_and_their_number_can_be_given(http: httpx.Client, examples: Path) -> None:
    body = ask(http, examples, "2414-367", num_speakers="2", embeddings="true").json()
    assert [s["label"] for s in body["speakers"]] == ["unknown 1", "unknown 2"]
    assert all(s["speaker"] is None for s in body["segments"])
    assert all(len(s["embedding"]) == 256 for s in body["speakers"])
    alone = ask(http, examples, "2414-367", num_speakers="1").json()
    assert [s["label"] for s in alone["speakers"]] == ["unknown 1"]


def test_other_forms(http: httpx.Client, examples: Path) -> None:
    rttm = ask(http, examples, "1998-3005", accept="text/plain")
    assert rttm.headers["content-type"].startswith("text/plain")
    assert changes([line.split()[7] for line in rttm.text.splitlines()]) == reference(examples, "1998-3005")
    vtt = ask(http, examples, "1998-3005", accept="text/vtt")
    assert vtt.text.startswith("WEBVTT\n\n00:00:0")


def test_hints_that_disagree_are_refused(http: httpx.Client, examples: Path) -> None:
    for form in ({"min_speakers": "3", "max_speakers": "2"}, {"num_speakers": "2", "max_speakers": "3"}):
        answer = ask(http, examples, "2414-367", **form)
        assert answer.status_code == 422
        assert answer.json()["code"] == "validation_error"


def test_an_unknown_voice_is_enrolled_from_its_segments(http: httpx.Client, examples: Path) -> None:
    before = ask(http, examples, "2414-367", num_speakers="2").json()
    pieces = [s for s in before["segments"] if s["label"] == "unknown 1" and not s["overlap"]]
    form = {
        "speaker_id": "met",
        "start_s": [str(s["start_s"]) for s in pieces],
        "end_s": [str(s["end_s"]) for s in pieces],
    }
    audio = (examples / "conversations" / "2414-367.opus").read_bytes()
    answer = http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
    assert answer.status_code == 201, answer.text
    total_s = sum(s["end_s"] - s["start_s"] for s in pieces)
    assert answer.json()["speech_s"] == pytest.approx(total_s, rel=0.15)
    try:
        after = ask(http, examples, "2414-367", num_speakers="2").json()
        assert [s["label"] for s in after["speakers"]] == ["met", "unknown 1"]
    finally:
        http.delete("/speakers/met")
    for wrong in ({"start_s": "1", "end_s": "99"}, {"start_s": "2", "end_s": "1"}, {"start_s": "1"}):
        answer = http.post("/speakers", data=wrong, files={"audio": ("a.opus", audio)})
        assert answer.status_code in (400, 422), answer.text


def test_the_verb_prints_turns_and_rttm(http: httpx.Client, examples: Path, tmp_path: Path) -> None:
    file = str(examples / "conversations" / "1998-3005.opus")
    options = ["diarize", file, "--url", str(http.base_url)]
    for line in CliRunner().invoke(app, [*options, "--rttm"]).stdout.splitlines():
        assert line.startswith("SPEAKER 1998-3005 1 ")
    shown = CliRunner().invoke(app, options)
    assert shown.exit_code == 0, shown.output
    assert "Reader 1998 (1998)" in shown.stdout
    in_background = CliRunner().invoke(app, [*options, "--background", "--rttm"])
    assert in_background.exit_code == 0, in_background.output
    assert in_background.stdout.startswith("SPEAKER 1998-3005 1 ")
    assert "100%" in in_background.stderr
    (tmp_path / "damaged.wav").write_bytes(b"RIFF damaged")
    refused = CliRunner().invoke(
        app, ["diarize", str(tmp_path / "damaged.wav"), "--background", *options[2:]]
    )
    assert (refused.exit_code, "WAV" in refused.stderr) == (2, True)


def long_answer(http: httpx.Client, location: str) -> dict[str, Any]:
    """A diarization in the background, once it is over."""
    with http.stream("GET", f"{location}/events") as events:
        states = [json.loads(line[5:]) for line in events.iter_lines() if line.startswith("data:")]
    assert [s["at_s"] for s in states] == sorted(s["at_s"] for s in states)
    return http.get(location).json()


def test_a_long_recording_is_diarized_in_the_background_and_its_unknown_enrolled(
    http: httpx.Client, examples: Path
) -> None:
    files = {"audio": ("a.opus", (examples / "conversations" / "2414-367.opus").read_bytes())}
    form = {"background": "true", "num_speakers": "2"}
    started = http.post("/diarize", data=form, files=files)
    assert started.status_code == 202, started.text
    job_id, location = started.json()["job_id"], started.headers["location"]
    assert location == f"/diarize/{job_id}"
    answer = long_answer(http, location)
    assert (answer["state"], answer["progress"], answer["error"]) == ("succeeded", 1.0, None)
    labels = [s["label"] for s in answer["diarization"]["segments"]]
    assert sorted(set(labels)) == ["unknown 1", "unknown 2"]
    try:
        for number in ("1", "2"):  # the second keeps its number when the first has a name
            form = {"from_job": job_id, "label": f"unknown {number}", "speaker_id": f"met-{number}"}
            enrolled = http.post("/speakers", data=form)
            assert enrolled.status_code == 201, enrolled.text
        after = http.get(location).json()["diarization"]["segments"]
        assert [s["label"] for s in after] == [label.replace("unknown ", "met-") for label in labels]
        wrong = http.post("/speakers", data={"from_job": job_id, "label": "unknown 3"})
        assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
    finally:
        for number in ("1", "2"):
            http.delete(f"/speakers/met-{number}")
    assert http.delete(location).status_code == 204
    assert http.get(location).status_code == 404


def test_a_background_diarization_that_fails_says_why(http: httpx.Client) -> None:
    for audio, said in ((b"RIFF damaged", "WAV"), (encode_wav(np.zeros(48_000, np.float32)), "No speech")):
        started = http.post("/diarize", data={"background": "true"}, files={"audio": ("a.wav", audio)})
        answer = long_answer(http, started.headers["location"])
        assert answer["state"] == "failed"
        assert said in answer["error"]
        assert http.post("/speakers", data={"from_job": answer["job_id"], "label": "x"}).status_code == 409
