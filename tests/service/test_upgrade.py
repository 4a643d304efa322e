"""C6: another release starts on a state that holds voices. Real services in this process, tiny models."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from structlog.testing import capture_logs

from benchmarks.redis_server import RedisServer
from service.settings import Settings
from tests.service.in_process import serving

LIMIT_S = 30.0


class Deployment:
    """One state over several releases."""

    def __init__(self, folder: Path, redis: RedisServer | None) -> None:
        self.models = folder / "models"
        self.state = folder / "state"
        self.redis = redis

    def settings(self) -> Settings:
        return Settings(
            models_dir=self.models, state_dir=self.state, redis_url=self.redis.url if self.redis else ""
        )

    def running(self) -> AbstractContextManager[httpx.Client]:
        """The service that starts now, once it is ready."""
        return serving(self.settings())

    def recorded(self) -> str | None:
        if self.redis:
            with Redis.from_url(self.redis.url) as client:
                model = client.get("twofold:active_model")
            return model.decode() if isinstance(model, bytes) else None
        file = self.state / "active_model.json"
        return file.read_text() if file.exists() else None


@pytest.fixture(params=["embedded", "redis"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    redis = request.getfixturevalue("start_redis")() if request.param == "redis" else None
    yield Deployment(tmp_path, redis)
    if redis:
        redis.stop()


def enrol(http: httpx.Client, speaker_id: str, audio: bytes, *, retain: bool) -> None:
    form = {"speaker_id": speaker_id, "retain_audio": str(retain).lower()}
    answer = http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})
    assert answer.status_code == 201, answer.text


def candidates(http: httpx.Client, audio: bytes) -> set[str]:
    answer = http.post("/identify", files={"audio": ("a.opus", audio)}).json()
    return {candidate["speaker_id"] for candidate in answer["candidates"]}


def test_c6_the_model_that_served_goes_on_under_a_newer_default(
    deployment: Deployment, write_bundle: Any, voices: Any
) -> None:
    write_bundle(deployment.models, "1.1.0", seed=1, day=1)
    with deployment.running() as http:
        assert http.get("/readyz").json()["notices"] == []
        enrol(http, "ada", voices[0].probe, retain=False)
    write_bundle(deployment.models, "2.0.0", seed=2, day=2)
    with capture_logs() as log, deployment.running() as http:
        ready = http.get("/readyz").json()
        assert ready["model"] == "autodecompose/1.1.0"
        (notice,) = ready["notices"]
        assert "POST /models/autodecompose/2.0.0/activate" in notice
        models = http.get("/models").json()
        assert (models["active"], models["model"], models["notices"]) == (
            "1.1.0",
            "autodecompose/1.1.0",
            [notice],
        )
        assert candidates(http, voices[0].probe) == {"ada"}
        enrol(http, "bob", voices[1].probe, retain=True)
        activated = http.post("/models/autodecompose/2.0.0/activate").json()
        assert (activated["active"], activated["model"]) == ("2.0.0", "autodecompose/2.0.0")
        assert activated["speakers"] == {"reembedded": 1, "mapped": 0, "kept": 0, "stale": 1}
    with deployment.running() as http:
        ready = http.get("/readyz").json()
        assert ready["model"] == "autodecompose/2.0.0"  # what was activated stays
        assert "voices without a voiceprint under autodecompose/2.0.0: 1." in " ".join(ready["notices"])
        assert candidates(http, voices[0].probe) == {"bob"}
    assert [entry["reason"] for entry in log if entry["event"] == "model_notice"] == [notice]


def test_c6_voices_come_along_where_their_model_is_gone(
    deployment: Deployment, write_bundle: Any, voices: Any
) -> None:
    old = write_bundle(deployment.models, "1.0.0", seed=1, day=1)
    with deployment.running() as http:
        assert http.post("/models/1.0.0/activate").status_code == 200
        enrol(http, "kept", voices[0].probe, retain=True)
        enrol(http, "lost", voices[1].probe, retain=False)
    if not deployment.redis:  # as earlier releases wrote it
        (deployment.state / "active_model.json").write_text(json.dumps({"version": "1.0.0"}))
    shutil.rmtree(old)
    write_bundle(deployment.models, "1.1.0", seed=2, day=2)
    write_bundle(deployment.models, "1.0.0", seed=3, day=3, name="barlow_twins")  # the same number
    for _ in range(2):
        with capture_logs() as log, deployment.running() as http:
            ready = http.get("/readyz").json()
            assert ready["model"] == "autodecompose/1.1.0"
            assert "voices without a voiceprint under autodecompose/1.1.0: 1." in " ".join(ready["notices"])
            assert candidates(http, voices[0].probe) == {"kept"}
            enrol(http, "new", voices[2].probe, retain=False)
            assert http.delete("/speakers/new").status_code == 204
        (carried,) = [entry for entry in log if entry["event"] == "voices_carried_over"]
        assert carried["stale"] == 1
        if not deployment.redis or carried["reembedded"]:  # Redis keeps the model that took over
            notices = [entry["reason"] for entry in log if entry["event"] == "model_notice"]
            assert notices[0].startswith("autodecompose/1.0.0 served before and is not here any more")


def test_c6_a_version_of_a_job_or_of_a_later_release_is_waited_for(
    start_redis: Any, tmp_path: Path, write_bundle: Any
) -> None:
    redis = start_redis()
    here, there = Deployment(tmp_path / "here", redis), Deployment(tmp_path / "there", redis)
    write_bundle(there.models, "1.1.0", seed=1, day=1)
    for missing in ("ft-20261125-101010-abcdef", "1.2.0"):
        write_bundle(here.models, missing, seed=2, day=2)
        with here.running() as http:
            assert http.post(f"/models/{missing}/activate").status_code == 200
        # A replica of an earlier release must not take the model away from the others.
        with serving(there.settings(), ready=False) as http:
            deadline = time.monotonic() + LIMIT_S
            while missing not in (answer := http.get("/readyz")).text:
                assert time.monotonic() < deadline, answer.text
                time.sleep(0.02)
            assert answer.status_code == 503
        assert there.recorded() == f"autodecompose/{missing}"
    redis.stop()


def test_c6_a_version_that_two_models_have_needs_its_name(tmp_path: Path, write_bundle: Any) -> None:
    alone = Deployment(tmp_path, None)
    write_bundle(alone.models, "1.0.0", seed=1, day=1)
    write_bundle(alone.models, "1.0.0", seed=2, day=2, name="barlow_twins")
    with alone.running() as http:
        refused = http.post("/models/1.0.0/activate")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "barlow_twins/1.0.0" in refused.json()["detail"]
        assert http.post("/models/barlow_twins/1.0.0/activate").json()["model"] == "barlow_twins/1.0.0"
    with alone.running() as http:
        assert http.get("/models").json()["model"] == "barlow_twins/1.0.0"


def test_c6_an_emptied_redis_gets_its_model_back(start_redis: Any, tmp_path: Path, write_bundle: Any) -> None:
    deployment = Deployment(tmp_path, start_redis())
    write_bundle(deployment.models, "1.1.0", seed=1, day=1)
    with deployment.running(), Redis.from_url(deployment.redis.url) as client:
        client.flushall()
        deadline = time.monotonic() + LIMIT_S
        while deployment.recorded() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    deployment.redis.stop()
