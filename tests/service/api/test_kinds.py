"""A model that knows voices only (Barlow Twins): what it refuses, and moving to it from another kind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from tests.service.conftest import StartService, WriteBundle
from trainer.cli import app as trainer_app

RAW = {"Content-Type": "audio/ogg"}


@pytest.fixture(scope="module")
def http(start_service: StartService, tiny_barlow_twins: Path) -> Iterator[httpx.Client]:
    """Served by the path of its bundle."""
    with start_service(tiny_barlow_twins).client() as client:
        yield client


@pytest.fixture
def both(tmp_path: Path, write_bundle: WriteBundle, tiny_barlow_twins: Path) -> Path:
    """A models folder with autodecompose/0.2.0 and barlow_twins/0.1.0; both embed in 8 dimensions."""
    models = tmp_path / "models"
    write_bundle(models, "0.2.0")
    shutil.copytree(tiny_barlow_twins, models / "barlow_twins" / "0.1.0")
    return models


def enrol(http: httpx.Client, speaker_id: str, audio: bytes, *, retain: bool) -> None:
    form = {"speaker_id": speaker_id, "retain_audio": str(retain).lower()}
    answer = http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
    assert answer.status_code == 201, answer.text


def identify(http: httpx.Client, audio: bytes) -> Any:
    answer = http.post("/identify", content=audio, headers=RAW)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_kind_is_listed(http: httpx.Client) -> None:
    (model,) = http.get("/models").json()["models"]
    assert (model["name"], model["version"], model["kind"]) == ("barlow_twins", "0.1.0", "barlow_twins")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("/content", "TWOFOLD_MODELS_DIR"),
        ("/finetune?steps=1", "steps=0"),
        ("/finetune?kind=autodecompose", "GET /models"),
    ],
)
def test_what_needs_more_than_a_voice_is_refused_at_once(
    http: httpx.Client, speech: bytes, call: str, what: str
) -> None:
    answer = http.post(call, content=speech, headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "barlow_twins/0.1.0" in answer.json()["detail"]
    assert what in answer.json()["detail"]
    assert http.get("/finetune").json()["jobs"] == []


def test_a_generator_is_not_fine_tuned_and_it_is_said_how_to_train_one(
    http: httpx.Client, speech: bytes
) -> None:
    answer = http.post("/finetune?kind=gaae", content=speech, headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), answer.text
    commands = re.findall(r"'python -m trainer ([^']+)'", answer.json()["detail"])
    assert [command.split()[0] for command in commands] == ["gaae", "export"]
    verbs = typer.main.get_command(trainer_app).commands  # type: ignore[attr-defined]
    for command in commands:  # the trainer knows these options
        verb, *words = command.split()
        options = {option for parameter in verbs[verb].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
    unknown = http.post("/finetune?kind=piano", content=speech, headers=RAW)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "validation_error")


def test_voices_are_never_compared_across_kinds(start_service: StartService, both: Path, voices: Any) -> None:
    retained, discarded = voices[0].probe, voices[1].probe
    service = start_service(both)
    with service.client() as http:
        enrol(http, "kept", retained, retain=True)
        enrol(http, "lost", discarded, retain=False)
        before = identify(http, retained)
        assert (before["model"], before["searched"]) == ("autodecompose/0.2.0", 2)

        switched = http.post("/models/0.1.0/activate").json()
        assert switched["model"] == "barlow_twins/0.1.0"
        assert switched["speakers"] == {"reembedded": 1, "mapped": 0, "kept": 0, "stale": 1}
        after = identify(http, retained)
        assert [candidate["speaker_id"] for candidate in after["candidates"]] == ["kept"]
        assert after["candidates"][0]["score"] > 0.9  # retained in 16 bits, which these features hear
        assert "1 enrolled speaker was not compared" in after["warning"]
        refused = http.post("/verify", data={"speaker_id": "lost"}, files={"audio": ("a.opus", discarded)})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")

        back = http.post("/models/0.2.0/activate").json()
        assert back["speakers"] == {"reembedded": 0, "mapped": 0, "kept": 2, "stale": 0}
        assert identify(http, retained)["candidates"] == before["candidates"]
    service.stop()


def test_nor_when_the_setting_changes_over_a_restart(
    start_service: StartService, both: Path, tmp_path: Path, voices: Any
) -> None:
    first = start_service(both, state_dir=tmp_path / "state")
    with first.client() as http:
        enrol(http, "ada", voices[0].probe, retain=True)
        enrol(http, "bob", voices[1].probe, retain=False)
    first.stop()
    second = start_service(both / "barlow_twins", state_dir=tmp_path / "state")
    with second.client() as http:
        answer = identify(http, voices[0].probe)
        assert (answer["model"], answer["searched"]) == ("barlow_twins/0.1.0", 1)
        assert answer["candidates"][0]["speaker_id"] == "ada"  # the retained audio came along
        assert "1 enrolled speaker was not compared" in answer["warning"]
    second.stop()
