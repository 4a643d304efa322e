"""GET /gallery and POST /gallery: voices leave and come back, also under another model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.service.conftest import RunningService, StartService, Voice

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def own_service(start_service: StartService, tiny_models: Any) -> RunningService:
    """Its gallery is emptied, and its model switched."""
    return start_service(tiny_models, max_speakers=2)


@pytest.fixture
def http(own_service: RunningService, voices: list[Voice]) -> Iterator[httpx.Client]:
    """Ann is enrolled with a retained recording, Bob without."""
    with own_service.client() as client:
        for speaker_id, voice, retain in (("ann", voices[0], "true"), ("bob", voices[1], "false")):
            form = {"speaker_id": speaker_id, "name": speaker_id.title(), "retain_audio": retain}
            form |= {"collection": "staff", "consent": f"{speaker_id} agreed."}
            answer = client.post("/speakers", data=form, files={"audio": voice.probe})
            assert answer.status_code == 201, answer.text
        yield client
        erase(client)


def erase(client: httpx.Client, *ids: str) -> None:
    for speaker_id in ids or ("ann", "bob"):
        client.delete(f"/speakers/{speaker_id}")


def exported(client: httpx.Client, **params: str) -> Lines:
    answer = client.get("/gallery", params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def imported(client: httpx.Client, lines: Lines) -> httpx.Response:
    body = "".join(json.dumps(line) + "\n" for line in lines)
    return client.post("/gallery", content=body, headers={"Content-Type": "application/x-ndjson"})


def test_voices_leave_and_come_back(http: httpx.Client, voices: list[Voice]) -> None:
    def state() -> tuple[Any, Any]:
        answer = http.post("/identify", data={"threshold": "-1"}, files={"audio": voices[0].short}).json()
        return http.get("/speakers").json(), answer["candidates"]

    before = state()
    lines = exported(http)
    assert [line["speaker_id"] for line in lines[1:-1]] == ["ann", "bob"]
    assert lines[-1] == {"end": 2, "left_out": []}
    assert imported(http, lines).json()["skipped"] == ["ann", "bob"]  # nothing changes
    erase(http)
    answer = imported(http, lines)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["imported"], answer.json()["reembedded"]) == (["ann", "bob"], [])
    assert state() == before  # the age, the quality, the consent and the scores too
    assert http.get("/speakers", params={"collection": "staff"}).json()["total"] == 2


def test_thresholds_leave_with_the_voices_and_count_for_their_model_alone(
    http: httpx.Client, voices: list[Voice]
) -> None:
    files = [("audio", ("a.opus", clip)) for voice in voices[:2] for clip in (voice.probe, voice.short)]
    form = {"speaker": ["a", "a", "b", "b"], "collection": "staff"}

    def counts() -> list[tuple[str, bool]]:
        return [(t["collection"], t["counts"]) for t in http.get("/thresholds").json()["thresholds"]]

    assert "thresholds" not in exported(http)[0]  # an older release would refuse what it does not know
    stored = http.post("/calibrate", data=form, files=files).json()["stored"]
    lines = exported(http)
    assert imported(http, lines).json()["thresholds"] == []
    http.delete("/thresholds/staff").raise_for_status()
    assert imported(http, lines).json()["thresholds"] == ["staff"]
    assert http.get("/thresholds").json()["thresholds"] == [stored]

    http.post("/models/0.1.0/activate").raise_for_status()
    try:
        answer = http.post("/identify", data={"collection": "staff"}, files=files[:1]).json()
        assert answer["threshold_collection"] is None
        assert any("autodecompose/0.2.0" in warning for warning in answer["warnings"])
        assert counts() == [("staff", False)]
        assert "thresholds" not in exported(http)[0]
        http.delete("/thresholds/staff").raise_for_status()
        assert imported(http, lines).json().get("thresholds", []) == []
    finally:
        http.post("/models/0.2.0/activate").raise_for_status()
    assert counts() == []


def test_another_model_takes_retained_recordings_alone(http: httpx.Client, voices: list[Voice]) -> None:
    lines = exported(http)
    erase(http)
    http.post("/models/0.1.0/activate").raise_for_status()
    try:
        refused = imported(http, lines)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "autodecompose/0.2.0" in refused.json()["detail"]
        assert "bob" in refused.json()["detail"]
        assert http.get("/speakers").json()["total"] == 0
        ann = [lines[0], lines[1], {"end": 1, "left_out": []}]
        assert imported(http, ann).json()["reembedded"] == ["ann"]
        speaker = http.get("/speakers/ann").json()
        assert (speaker["model"], speaker["stale"], speaker["audio_retained"]) == (
            "autodecompose/0.1.0",
            False,
            True,
        )
        form = {"speaker_id": "ann"}
        assert http.post("/verify", data=form, files={"audio": voices[0].probe}).json()["accepted"]
    finally:
        http.post("/models/0.2.0/activate").raise_for_status()


def test_recordings_may_be_left_out(http: httpx.Client) -> None:
    assert [bool(line["utterances"][0]["audio"]) for line in exported(http)[1:-1]] == [True, False]
    assert not any(line["utterances"][0]["audio"] for line in exported(http, audio="false")[1:-1])


def _cut(lines: Lines) -> Lines:
    return lines[:-1]


def _short(lines: Lines) -> Lines:
    return [lines[0], *lines[2:]]


def _no_id(lines: Lines) -> Lines:
    return [lines[0], lines[1] | {"speaker_id": "~acme/ann"}, *lines[2:]]


def _other_size(lines: Lines) -> Lines:
    utterance = lines[1]["utterances"][0]
    damaged = utterance | {"embedding": utterance["embedding"] | {"mean": "AAAA"}}
    return [lines[0], lines[1] | {"utterances": [damaged]}, *lines[2:]]


def _newer(lines: Lines) -> Lines:
    return [lines[0] | {"version": 2}, *lines[1:]]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_cut, "cut off"),
        (_short, "should have 2 speakers"),
        (_no_id, "Line 2 of the gallery: speaker_id"),
        (_other_size, "'ann'"),
        (_newer, "Line 1 of the gallery: version"),
        (lambda _: [], "no gallery"),
    ],
)
def test_a_damaged_gallery_is_refused_whole(
    http: httpx.Client, damage: Callable[[Lines], Lines], complaint: str
) -> None:
    lines = damage(exported(http))
    erase(http)
    answer = imported(http, lines)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert complaint in answer.json()["detail"]
    assert http.get("/speakers").json()["total"] == 0


def test_nobody_is_enrolled_or_imported_over_the_limit(http: httpx.Client, voices: list[Voice]) -> None:
    lines = exported(http)
    erase(http, "bob")
    assert http.post("/speakers", data={"speaker_id": "cyd"}, files={"audio": voices[1].probe}).is_success
    for refused in (imported(http, lines), http.post("/speakers", files={"audio": voices[1].probe})):
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert "TWOFOLD_MAX_SPEAKERS" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 60
    erase(http, "cyd")
    assert imported(http, lines).json()["imported"] == ["bob"]


def test_another_content_type_is_named(http: httpx.Client) -> None:
    assert http.post("/gallery", json={}).status_code == 415
