"""/identify and /verify over a real service, with random weights: what is decided, not how well."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.conftest import CALIBRATION, StartService, TinyModel, WriteBundle

IDENTIFY = {"match", "candidates", "threshold", "score_type", "speech_s", "model"}
VERIFY = {"accepted", "score", "probability", "threshold", "score_type", "speech_s", "model"}


@pytest.fixture(scope="module")
def empty(start_service: StartService, tiny_model: TinyModel) -> Any:
    with start_service(tiny_model.path).client() as client:
        yield client


@pytest.fixture(scope="module")
def http(start_service: StartService, tiny_model: TinyModel, voices: Any) -> Any:
    """A service with four people enrolled."""
    with start_service(tiny_model.path).client() as client:
        for i, voice in enumerate(voices[:4]):
            files = [("audio", ("a.opus", audio)) for audio in voice.enrol]
            answer = client.post("/speakers", data={"speaker_id": f"s{i}", "name": f"Name {i}"}, files=files)
            assert answer.status_code == 201, answer.text
        yield client


def ask(http: httpx.Client, call: str, *audio: bytes, **form: object) -> httpx.Response:
    files = [("audio", ("probe.opus", a)) for a in audio]
    return http.post(call, data={k: str(v) for k, v in form.items()}, files=files)


def test_nobody_enrolled(empty: httpx.Client, tiny_model: TinyModel, voices: Any) -> None:
    answer = ask(empty, "/identify", voices[0].probe)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() >= IDENTIFY
    assert (body["match"], body["candidates"], body["searched"]) == (None, [], 0)
    assert (body["score_type"], body["model"]) == ("centred_cosine", tiny_model.id)
    assert body["warning"] is None


def test_candidates_are_best_first(http: httpx.Client, voices: Any) -> None:
    body = ask(http, "/identify", voices[0].probe).json()
    scores = [c["score"] for c in body["candidates"]]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    for candidate in body["candidates"]:
        assert candidate["name"] == f"Name {candidate['speaker_id'][1:]}"
        assert 0 <= candidate["probability"] <= 1
    assert len(ask(http, "/identify", voices[0].probe, top_k=2).json()["candidates"]) == 2


def test_threshold_decides_the_match(http: httpx.Client, voices: Any) -> None:
    body = ask(http, "/identify", voices[0].probe, threshold=-1).json()
    assert (body["match"], body["threshold"]) == (body["candidates"][0], -1)
    body = ask(http, "/identify", voices[0].probe, threshold=1).json()
    assert (body["match"], body["threshold"], len(body["candidates"])) == (None, 1, 4)


def test_target_fpr_is_shared_by_the_voices(http: httpx.Client, voices: Any) -> None:
    alone = ask(http, "/verify", voices[0].probe, speaker_id="s0", target_fpr=0.1).json()
    assert alone["threshold"] == pytest.approx(0.3)  # the table of the bundle
    search = ask(http, "/identify", voices[0].probe, target_fpr=0.1).json()
    assert 0.3 < search["threshold"] < 0.6
    shared = ask(http, "/identify", voices[0].probe, target_fpr=1 - 0.9**4).json()
    assert shared["threshold"] == pytest.approx(0.3)
    # An explicit threshold goes before.
    both = ask(http, "/identify", voices[0].probe, target_fpr=0.1, threshold=0.25).json()
    assert both["threshold"] == 0.25


def test_verify_agrees_with_identify(http: httpx.Client, voices: Any) -> None:
    for candidate in ask(http, "/identify", voices[1].probe).json()["candidates"]:
        body = ask(http, "/verify", voices[1].probe, speaker_id=candidate["speaker_id"]).json()
        assert body.keys() >= VERIFY
        assert body["score"] == pytest.approx(candidate["score"], abs=1e-5)
        assert body["probability"] == pytest.approx(candidate["probability"], abs=1e-4)
        assert body["accepted"] == (body["score"] >= body["threshold"])
        assert body["threshold"] == pytest.approx(0.6)  # TWOFOLD_TARGET_FPR = 0.01


def test_verify_an_unknown_speaker(http: httpx.Client, voices: Any) -> None:
    answer = ask(http, "/verify", voices[0].probe, speaker_id="nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("call", "form"),
    [
        ("/verify", {}),
        ("/verify", {"speaker_id": "s0", "threshold": "nan"}),
        ("/verify", {"speaker_id": "s0", "target_fpr": "0"}),
        ("/identify", {"threshold": "1.5"}),
        ("/identify", {"target_fpr": "1"}),
        ("/identify", {"target_fpr": "nan"}),
        ("/identify", {"top_k": "0"}),
        ("/identify", {"top_k": "101"}),
    ],
)
def test_odd_parameters(http: httpx.Client, voices: Any, call: str, form: dict[str, str]) -> None:
    answer = ask(http, call, voices[0].probe, **form)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), answer.text


@pytest.mark.parametrize(("call", "form"), [("/identify", {}), ("/verify", {"speaker_id": "s0"})])
def test_one_recording_at_a_time(http: httpx.Client, voices: Any, call: str, form: dict[str, str]) -> None:
    answer = ask(http, call, voices[0].probe, voices[1].probe, **form)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_the_answer_depends_on_the_seconds_heard(
    start_service: StartService, write_bundle: WriteBundle, tmp_path: Path, voices: Any
) -> None:
    manifest = write_bundle(tmp_path, "0.1.0") / "bundle.json"
    fields = json.loads(manifest.read_text())
    fields["scoring"]["by_seconds"] = [
        {
            "seconds": seconds,
            "calibration": CALIBRATION | {"intercept": intercept},
            "false_accept": [{"fpr": 0.1, "threshold": 0.0}, {"fpr": 0.01, "threshold": threshold}],
        }
        for seconds, intercept, threshold in ((1.0, -2.0, 0.2), (100.0, -6.0, 0.8))
    ]
    manifest.write_text(json.dumps(fields))
    with start_service(tmp_path).client() as client:
        files = [("audio", ("a.opus", audio)) for audio in voices[0].enrol]
        assert client.post("/speakers", data={"speaker_id": "s0"}, files=files).status_code == 201
        speech_s = []
        for probe in (voices[0].short, voices[0].probe):
            verified = ask(client, "/verify", probe, speaker_id="s0").json()
            identified = ask(client, "/identify", probe).json()
            share = math.log(verified["speech_s"]) / math.log(100)
            logit = 10 * verified["score"] - 2 - 4 * share
            assert verified["threshold"] == pytest.approx(0.2 + 0.6 * share)
            assert verified["probability"] == pytest.approx(1 / (1 + math.exp(-logit)))
            assert identified["threshold"] == pytest.approx(verified["threshold"])
            assert identified["candidates"][0]["probability"] == pytest.approx(verified["probability"])
            assert ask(client, "/verify", probe, speaker_id="s0", threshold=0.3).json()["threshold"] == 0.3
            speech_s.append(verified["speech_s"])
        assert speech_s[0] < speech_s[1] - 1
