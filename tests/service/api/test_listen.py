"""WS /listen with the shipped model and the conversations of examples/, over a real socket."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from service.audio import AudioLimits, decode
from service.cli import app
from service.settings import Settings
from tests.service.conftest import newest_shipped
from tests.service.in_process import serving

KEY = "listen-key-0123456789"
ENROLLED = {"1998": "1998-15444-0002", "3005": "3005-163389-0003"}


@pytest.fixture(scope="module")
def http(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The shipped model behind a key, with the two people of one conversation enrolled."""
    settings = Settings(
        api_keys=KEY,
        state_dir=tmp_path_factory.mktemp("state"),
        models_dir=newest_shipped("autodecompose"),
        stream_idle_s=3.0,
        max_stream_seconds=30.0,
        max_streams_per_client=2,
    )
    with serving(settings) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        for speaker, clip in ENROLLED.items():
            audio = (examples / "audio" / speaker / f"{clip}.opus").read_bytes()
            form = {"speaker_id": speaker, "name": f"Reader {speaker}"}
            answer = client.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
            assert answer.status_code == 201, answer.text
        yield client


def opened(http: httpx.Client, path: str = "/listen", **options: Any) -> ClientConnection:
    headers = options.pop("additional_headers", {"Authorization": f"Bearer {KEY}"})
    url = f"ws://{http.base_url.host}:{http.base_url.port}{path}"
    return connect(url, additional_headers=headers, proxy=None, **options)


def samples(examples: Path, name: str, rate_hz: int = 16_000) -> np.ndarray:
    recording = decode((examples / "conversations" / f"{name}.opus").read_bytes(), AudioLimits())
    return soxr.resample(recording.samples, 16_000, rate_hz)


def pcm(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


def events(stream: ClientConnection) -> list[dict[str, Any]]:
    """All events until the stream is closed."""
    texts: list[str] = []
    with suppress(ConnectionClosedError):
        for text in stream:
            texts.append(str(text))  # what came before the error is kept
    return [json.loads(text) for text in texts]


def told(stream: ClientConnection, sound: bytes, *, message: int = 8_000) -> list[dict[str, Any]]:
    """Every event after sound was sent and its end was said."""
    for start in range(0, len(sound), message):
        stream.send(sound[start : start + message])
    stream.send(json.dumps({"event": "end"}))
    return events(stream)


def changes(labels: list[Any]) -> list[Any]:
    return [label for i, label in enumerate(labels) if i == 0 or labels[i - 1] != label]


def reference(examples: Path, name: str) -> list[str]:
    lines = (examples / "conversations" / f"{name}.rttm").read_text().splitlines()
    return [line.split()[7] for line in lines]


def test_names_come_in_the_order_in_which_people_speak(http: httpx.Client, examples: Path) -> None:
    rate_hz = 44_100
    sound = samples(examples, "1998-3005", rate_hz)
    with opened(http, f"/listen?sample_rate_hz={rate_hz}") as stream:
        ready, *moments, end = told(stream, pcm(sound))
    assert (ready["event"], end["event"], end["reason"]) == ("ready", "end", "asked")
    expected = reference(examples, "1998-3005")
    names = [m["speaker"]["speaker_id"] for m in moments if m["speaker"]]
    assert changes(names) == expected
    duration_s = len(sound) / rate_hz
    assert len(moments) == pytest.approx(duration_s / ready["every_s"], abs=1)
    assert all(m["speech"] for m in moments if m["speaker"] or m["unknown"])
    assert changes([s["label"] for s in end["diarization"]["segments"]]) == expected
    assert end["diarization"]["duration_s"] == pytest.approx(duration_s, abs=0.01)
    named = [m for m in moments if m["speaker"]][-1]
    assert named["candidates"][0]["score"] >= named["threshold"]
    assert named["speaker"]["name"] == "Reader 3005"


def test_a_stream_over_a_narrow_line_is_judged_as_a_recording_of_one(
    http: httpx.Client, examples: Path
) -> None:
    rate_hz = 8_000
    sound = samples(examples, "1998-3005", rate_hz)
    with opened(http, f"/listen?sample_rate_hz={rate_hz}") as stream:
        *_, end = told(stream, pcm(sound))
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format="WAV")
    recorded = http.post("/diarize", files={"audio": ("a.wav", file.getvalue())}).json()
    live, whole = (
        {s["label"]: s["score"] for s in answer["segments"]} for answer in (end["diarization"], recorded)
    )
    assert live == pytest.approx(whole, abs=0.02)  # 0.04 apart while streams were not measured


def test_the_stored_threshold_of_a_collection_decides(http: httpx.Client, examples: Path) -> None:
    clips = [path for reader in ENROLLED for path in sorted((examples / "audio" / reader).iterdir())[:2]]
    files = [("audio", (path.name, path.read_bytes())) for path in clips]
    form = {"speaker": [path.parent.name for path in clips], "collection": "room"}
    stored = http.post("/calibrate", data=form, files=files).json()["stored"]
    sound = pcm(samples(examples, "1998-3005")[: 4 * 16_000])
    try:
        with opened(http, "/listen?collection=room") as stream:
            _, *moments, end = told(stream, sound)
    finally:
        http.delete("/thresholds/room").raise_for_status()
    decided = [m for m in moments if m["threshold"] is not None]
    for answer in (*decided, *end["diarization"]["speakers"]):
        assert answer["threshold_collection"] == "room"
        assert answer["threshold"] == pytest.approx(stored["threshold"])
    assert decided


def test_strangers_are_unknown(http: httpx.Client, examples: Path) -> None:
    with opened(http, "/listen?num_speakers=2") as stream:
        _, *moments, end = told(stream, pcm(samples(examples, "2414-367")[: 14 * 16_000]))
    assert not any(m["speaker"] for m in moments)
    assert sum(m["unknown"] for m in moments) > len(moments) / 2
    assert [s["label"] for s in end["diarization"]["speakers"]] == ["unknown 1", "unknown 2"]


def test_silence_is_nobody_and_an_idle_stream_ends(http: httpx.Client) -> None:
    with opened(http) as stream:
        stream.send(pcm(np.zeros(32_000)))
        _, *moments, end = events(stream)
    assert end["reason"] == "idle"
    assert end["diarization"]["segments"] == []
    assert not any(m["speech"] or m["speaker"] or m["unknown"] for m in moments)
    assert stream.close_code == 1000


def test_a_stream_that_is_full_ends(http: httpx.Client) -> None:
    with opened(http) as stream:
        for _ in range(4):
            stream.send(pcm(np.zeros(10 * 16_000)))
        assert events(stream)[-1]["reason"] == "full"


@pytest.mark.parametrize(
    ("message", "code"), [(b"odd", "invalid_audio"), ("what?", "bad_request"), ("[1", "bad_request")]
)
def test_other_messages_end_the_stream(http: httpx.Client, message: bytes | str, code: str) -> None:
    with opened(http) as stream:
        stream.send(message)
        last = events(stream)[-1]
    assert (last["event"], last["code"]) == ("problem", code)
    assert stream.close_code == 1008


def refused(http: httpx.Client, path: str = "/listen", **options: Any) -> tuple[int, str]:
    """The status and the problem code of a stream that was not accepted."""
    with pytest.raises(InvalidStatus) as refusal:
        opened(http, path, **options)
    response = refusal.value.response
    return response.status_code, json.loads(response.body)["code"] if response.body else ""


def test_parameters_are_checked_before(http: httpx.Client) -> None:
    for query in ("sample_rate=16000", "sample_rate_hz=4000", "codec=mp3", "num_speakers=0"):
        assert refused(http, f"/listen?{query}") == (422, "validation_error")


def test_a_key_is_needed_and_browsers_send_it_as_a_subprotocol(http: httpx.Client) -> None:
    assert refused(http, additional_headers={}) == (401, "missing_key")
    assert refused(http, additional_headers={"Authorization": "Bearer wrong"}) == (403, "forbidden")
    protocols = ["twofold", f"bearer.{KEY}"]
    with opened(http, additional_headers={}, subprotocols=protocols) as stream:
        assert stream.subprotocol == "twofold"
        assert json.loads(stream.recv())["event"] == "ready"


def test_streams_of_a_client_are_bounded_and_given_back(http: httpx.Client) -> None:
    with opened(http) as first, opened(http) as second:
        for stream in (first, second):
            assert json.loads(stream.recv())["event"] == "ready"
        assert refused(http) == (429, "overloaded")
        assert "twofold_live_streams 2.0" in http.get("/metrics").text
    while "twofold_live_streams 0.0" not in http.get("/metrics").text:
        pass
    with opened(http):
        pass


def test_an_enrolment_says_how_far_it_is_and_ends_by_itself(http: httpx.Client, examples: Path) -> None:
    clips = sorted((examples / "audio" / "533").glob("*.opus"))
    sound = pcm(np.concatenate([decode(clip.read_bytes(), AudioLimits()).samples for clip in clips]))
    with opened(http, "/speakers/live/enrol?name=Lee&wanted_s=6") as stream:
        stream.send(sound)
        ready, *progress, enrolled = events(stream)
    assert ready["event"] == "ready"
    assert [p["percent"] for p in progress] == sorted(p["percent"] for p in progress)
    assert (progress[-1]["percent"], progress[-1]["remaining_speech_s"]) == (100, 0)
    assert all(p["speech_s"] + p["remaining_speech_s"] == pytest.approx(6, abs=0.01) for p in progress[:-1])
    assert not any(p["feedback"] for p in progress)
    try:
        stored = http.get("/speakers/live").json()
        assert stored["name"] == enrolled["speaker"]["name"] == "Lee"
        assert stored["speech_s"] == pytest.approx(progress[-1]["speech_s"], abs=0.5)
        assert refused(http, "/speakers/live/enrol") == (409, "conflict")
    finally:
        http.delete("/speakers/live")
    assert refused(http, "/speakers/live/enrol?add=true") == (404, "not_found")


def test_an_enrolment_tells_what_to_do_better(http: httpx.Client, examples: Path) -> None:
    sound = samples(examples, "1998-3005")
    short = sound[:48_000]
    for changed, kind in ((sound, "two_voices"), (short * 40, "clipped"), (short / 1000, "too_quiet")):
        with opened(http, "/speakers/live/enrol?wanted_s=60") as stream:
            told_events = told(stream, pcm(changed[: 14 * 16_000]), message=2**17)
        kinds = {f["kind"] for e in told_events if e["event"] == "progress" for f in e["feedback"]}
        assert kind in kinds
        http.delete("/speakers/live")


def test_too_little_speech_is_not_enrolled(http: httpx.Client, examples: Path) -> None:
    with opened(http, "/speakers/live/enrol") as stream:
        last = told(stream, pcm(samples(examples, "1998-3005")[:32_000]))[-1]
    assert (last["event"], last["code"]) == ("problem", "insufficient_speech")
    assert http.get("/speakers/live").status_code == 404
    assert refused(http, "/speakers/not%20an%20id/enrol") == (422, "validation_error")


def test_the_verb_names_people_in_order(http: httpx.Client, examples: Path) -> None:
    file = str(examples / "conversations" / "1998-3005.opus")
    options = ["listen", "--file", file, "--url", str(http.base_url), "--key", KEY]
    shown = CliRunner().invoke(app, options)
    assert shown.exit_code == 0, shown.output
    said = [line.partition(" s  ")[2] for line in shown.stdout.splitlines() if " s  " in line]
    assert said == [f"Reader {speaker} ({speaker})" for speaker in reference(examples, "1998-3005")]
    wrong = CliRunner().invoke(app, [*options[:-1], "wrong"])
    assert wrong.exit_code == 2
    assert "403 forbidden" in wrong.stderr
