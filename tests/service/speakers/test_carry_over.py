"""What becomes of enrolled voices when another model takes over: a real service, two models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest


@pytest.fixture
def http(start_service: Any, tiny_models: Any) -> Any:
    """An empty service on 0.2.0; there is 0.1.0 too."""
    with start_service(tiny_models).client() as client:
        yield client


def enrol(http: httpx.Client, speaker_id: str, audio: bytes, *, retain: bool) -> None:
    form = {"speaker_id": speaker_id, "retain_audio": str(retain).lower()}
    answer = http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
    assert answer.status_code == 201, answer.text


def activate(http: httpx.Client, version: str) -> dict[str, int]:
    answer = http.post(f"/models/{version}/activate")
    assert answer.status_code == 200, answer.text
    assert answer.json()["active"] == version
    counts: dict[str, int] = answer.json()["speakers"]
    return counts


def identify(http: httpx.Client, audio: bytes) -> dict[str, Any]:
    answer = http.post("/identify", files={"audio": ("a.opus", audio)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def scores(body: dict[str, Any]) -> dict[str, float]:
    return {c["speaker_id"]: c["score"] for c in body["candidates"]}


def test_speakers_follow_the_model_there_and_back(http: httpx.Client, voices: Any) -> None:
    retained, discarded = voices[0].probe, voices[1].probe
    enrol(http, "kept", retained, retain=True)
    enrol(http, "lost", discarded, retain=False)
    before = identify(http, retained)
    assert scores(before).keys() == {"kept", "lost"}

    assert activate(http, "0.1.0") == {"reembedded": 1, "mapped": 0, "kept": 0, "stale": 1}
    body = identify(http, retained)
    assert scores(body) == {"kept": pytest.approx(1, abs=1e-3)}  # as if enrolled under this model
    assert "1 enrolled" in body["warning"]
    listed = {s["speaker_id"]: s for s in http.get("/speakers").json()["speakers"]}
    assert (listed["kept"]["stale"], listed["lost"]["stale"]) == (False, True)
    assert (listed["kept"]["model"], listed["lost"]["model"]) == (
        "autodecompose/0.1.0",
        "autodecompose/0.2.0",
    )
    assert not listed["lost"]["quality"]["ok"]
    assert "POST /speakers/lost/audio" in listed["lost"]["quality"]["advice"]

    refused = http.post("/verify", data={"speaker_id": "lost"}, files={"audio": ("a.opus", discarded)})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "POST /speakers/lost/audio" in refused.json()["detail"]

    # Back: the old voiceprints are there still, to the bit.
    assert activate(http, "0.2.0") == {"reembedded": 0, "mapped": 0, "kept": 2, "stale": 0}
    after = identify(http, retained)
    assert scores(after) == scores(before)
    assert after["warning"] is None


def test_audio_revives_a_stale_speaker(http: httpx.Client, voices: Any) -> None:
    long, short = voices[0].probe, voices[0].short
    enrol(http, "ada", long, retain=False)
    activate(http, "0.1.0")
    # It takes what an enrolment takes: nothing of the old voiceprint helps.
    refused = http.post("/speakers/ada/audio", files={"audio": ("a.opus", short)})
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_speech")
    revived = http.post("/speakers/ada/audio", files={"audio": ("a.opus", long)})
    assert revived.status_code == 200, revived.text
    assert (revived.json()["stale"], revived.json()["utterances"]) == (False, 2)
    assert scores(identify(http, long)) == {"ada": pytest.approx(1, abs=1e-5)}
    # Short additions are welcome again.
    assert http.post("/speakers/ada/audio", files={"audio": ("a.opus", short)}).status_code == 200


def test_erased_speakers_do_not_come_back(http: httpx.Client, voices: Any) -> None:
    enrol(http, "ada", voices[0].probe, retain=True)
    activate(http, "0.1.0")
    assert http.delete("/speakers/ada").status_code == 204
    assert activate(http, "0.2.0") == {"reembedded": 0, "mapped": 0, "kept": 0, "stale": 0}
    assert scores(identify(http, voices[0].probe)) == {}


def test_enrolments_survive_a_restart(
    start_service: Any, tiny_models: Any, voices: Any, tmp_path: Any
) -> None:
    first = start_service(tiny_models, state_dir=tmp_path / "state")
    with first.client() as http:
        enrol(http, "ada", voices[0].probe, retain=True)
        activate(http, "0.1.0")
        before = identify(http, voices[0].probe)
        shown = http.get("/speakers/ada").json()
    first.stop()
    with start_service(tiny_models, state_dir=tmp_path / "state").client() as http:
        assert identify(http, voices[0].probe) == before
        assert http.get("/speakers/ada").json() == shown


@pytest.fixture
def lineage(start_service: Any, write_bundle: Any, tmp_path: Path) -> Any:
    """An empty service on 1.0.0; 1.0.1 was made from it, and 1.0.2 from that. The maps are exact."""
    models = tmp_path / "models"
    for day, (version, parent) in enumerate({"1.0.2": "1.0.1", "1.0.1": None, "1.0.0": None}.items(), 1):
        write_bundle(models, version, day=day, parent=parent)
    with start_service(models).client() as http:
        yield http


def test_voices_without_audio_are_mapped(lineage: httpx.Client, voices: Any) -> None:
    assert activate(lineage, "1.0.1") == {"reembedded": 0, "mapped": 0, "kept": 0, "stale": 0}
    enrol(lineage, "kept", voices[0].probe, retain=True)
    enrol(lineage, "lost", voices[1].probe, retain=False)
    before = scores(identify(lineage, voices[1].probe))

    assert activate(lineage, "1.0.2") == {"reembedded": 1, "mapped": 1, "kept": 0, "stale": 0}
    body = identify(lineage, voices[1].probe)
    assert scores(body) == pytest.approx(before, abs=1e-4)
    assert body["warning"] is None
    listed = {s["speaker_id"]: s for s in lineage.get("/speakers").json()["speakers"]}
    assert (listed["kept"]["map_error"], listed["lost"]["map_error"]) == (None, 0.125)
    assert not listed["lost"]["stale"]

    # There and back: the voiceprints of either version are as they were.
    assert activate(lineage, "1.0.1") == {"reembedded": 0, "mapped": 0, "kept": 2, "stale": 0}
    assert scores(identify(lineage, voices[1].probe)) == before
    assert lineage.get("/speakers/lost").json()["map_error"] is None
    assert activate(lineage, "1.0.2") == {"reembedded": 0, "mapped": 0, "kept": 2, "stale": 0}


def test_what_of_a_voice_was_not_retained_is_mapped_beside_the_rest(
    lineage: httpx.Client, voices: Any
) -> None:
    activate(lineage, "1.0.1")
    enrol(lineage, "both", voices[0].probe, retain=False)
    more = {"audio": ("a.opus", voices[0].short)}
    answer = lineage.post("/speakers/both/audio", data={"retain_audio": "true"}, files=more)
    assert answer.status_code == 200, answer.text
    before = scores(identify(lineage, voices[0].probe))
    assert activate(lineage, "1.0.2") == {"reembedded": 1, "mapped": 0, "kept": 0, "stale": 0}
    assert scores(identify(lineage, voices[0].probe)) == pytest.approx(before, abs=1e-3)
    assert lineage.get("/speakers/both").json()["map_error"] == 0.125
    # A recording that is added after going back comes along the next time.
    activate(lineage, "1.0.1")
    lineage.post("/speakers/both/audio", files={"audio": ("a.opus", voices[1].probe)})
    before = scores(identify(lineage, voices[1].probe))
    assert activate(lineage, "1.0.2") == {"reembedded": 0, "mapped": 0, "kept": 1, "stale": 0}
    assert scores(identify(lineage, voices[1].probe)) == pytest.approx(before, abs=1e-3)


def test_a_voice_enrolled_in_between_comes_along_when_rolled_back(lineage: httpx.Client, voices: Any) -> None:
    activate(lineage, "1.0.2")
    enrol(lineage, "late", voices[1].probe, retain=False)
    before = scores(identify(lineage, voices[1].probe))
    assert activate(lineage, "1.0.1") == {"reembedded": 0, "mapped": 1, "kept": 0, "stale": 0}
    assert scores(identify(lineage, voices[1].probe)) == pytest.approx(before, abs=1e-4)
    assert lineage.get("/speakers/late").json()["map_error"] == 0.0625


def test_a_map_leads_from_its_parent_only(lineage: httpx.Client, voices: Any) -> None:
    enrol(lineage, "lost", voices[1].probe, retain=False)  # under 1.0.0
    assert activate(lineage, "1.0.2") == {"reembedded": 0, "mapped": 0, "kept": 0, "stale": 1}
    assert scores(identify(lineage, voices[1].probe)) == {}
