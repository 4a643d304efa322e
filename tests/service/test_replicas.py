"""Two replicas of the service on one real Redis, which is stopped under them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from redis import Redis

from benchmarks.redis_server import RedisServer
from tests.service.bulk.test_archive import zipped

T = TypeVar("T")
LIMIT_S = 30.0
SWITCHED = {"reembedded": 1, "mapped": 0, "kept": 0, "stale": 1}


def wait_for(what: Callable[[], T]) -> T:
    """What `what` says as soon as it is true."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if said := what():
            return said
        time.sleep(0.02)
    raise AssertionError("it did not happen")


class Replicas:
    """Two services that share a Redis and a state folder."""

    def __init__(self, start: Any, models: Path, redis: RedisServer, state: Path) -> None:
        self.redis = redis
        self.services = [start(models, redis_url=redis.url, state_dir=state) for _ in range(2)]
        self.first, self.second = (service.client() for service in self.services)

    def end(self) -> None:
        for client, service in zip((self.first, self.second), self.services, strict=True):
            client.close()
            service.stop()
        self.redis.stop()


@pytest.fixture
def replicas(start_service: Any, start_redis: Any, tiny_models: Path, tmp_path: Path) -> Iterator[Replicas]:
    both = Replicas(start_service, tiny_models, start_redis(), tmp_path / "state")
    yield both
    both.end()


def enrol(http: httpx.Client, speaker_id: str, audio: bytes, *, retain: bool = False) -> httpx.Response:
    form = {"speaker_id": speaker_id, "name": f"name of {speaker_id}", "retain_audio": str(retain).lower()}
    return http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})


def candidates(http: httpx.Client, audio: bytes) -> dict[str, str]:
    """Who was compared: id → name."""
    answer = http.post("/identify", files={"audio": ("a.opus", audio)})
    assert answer.status_code == 200, answer.text
    return {c["speaker_id"]: c["name"] for c in answer.json()["candidates"]}


def verify(http: httpx.Client, speaker_id: str, audio: bytes) -> httpx.Response:
    return http.post("/verify", data={"speaker_id": speaker_id}, files={"audio": ("a.opus", audio)})


def serving(http: httpx.Client) -> str:
    return str(http.get("/readyz").json().get("model"))


def test_what_one_enrols_the_other_finds(replicas: Replicas, voices: Any) -> None:
    audio = voices[0].probe
    assert enrol(replicas.first, "ada", audio).status_code == 201
    wait_for(lambda: candidates(replicas.second, audio) == {"ada": "name of ada"})
    assert verify(replicas.second, "ada", audio).json()["accepted"]
    assert enrol(replicas.second, "ada", audio).json()["code"] == "conflict"
    more = replicas.second.post("/speakers/ada/audio", files={"audio": ("a.opus", voices[0].short)})
    assert (more.status_code, more.json()["utterances"]) == (200, 2)

    def same_score() -> bool:
        here, there = (verify(http, "ada", audio).json() for http in (replicas.first, replicas.second))
        return abs(here["score"] - there["score"]) < 1e-6 and here["score"] < 1 - 1e-6

    wait_for(same_score)
    assert replicas.second.delete("/speakers/ada").status_code == 204
    wait_for(lambda: candidates(replicas.first, audio) == {})
    assert verify(replicas.first, "ada", audio).status_code == 404
    people = zipped({f"{name}.opus": voice.probe for name, voice in zip(("bob", "cy"), voices, strict=False)})
    job = replicas.first.post("/enrolments", files={"archive": ("people.zip", people)}).headers["location"]
    wait_for(lambda: replicas.second.get(job).json()["state"] == "succeeded")
    assert replicas.second.delete("/speakers/bob").status_code == 204
    report = replicas.first.get(job).json()
    assert [person["speaker_id"] for person in report["people"]] == [None, "cy"]


def test_identification_goes_on_without_redis_and_recovers(replicas: Replicas, voices: Any) -> None:
    audio = voices[0].probe
    assert enrol(replicas.first, "ada", audio).status_code == 201
    wait_for(lambda: candidates(replicas.second, audio))
    replicas.redis.stop()
    for http in (replicas.first, replicas.second):
        assert candidates(http, audio) == {"ada": "name of ada"}
        assert verify(http, "ada", audio).json()["accepted"]
        for refused in (
            http.get("/readyz"),
            http.get("/speakers"),
            enrol(http, "bob", voices[1].probe),
            http.post("/speakers/ada/audio", files={"audio": ("a.opus", audio)}),
            http.delete("/speakers/ada"),
            http.post("/models/0.1.0/activate"),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            assert "127.0.0.1" not in refused.text
        assert http.get("/healthz").status_code == 200
        assert http.get("/metrics").status_code == 200
    replicas.redis.start()
    for http in (replicas.first, replicas.second):
        wait_for(lambda http=http: http.get("/readyz").status_code == 200)
        assert candidates(http, audio) == {"ada": "name of ada"}
    assert replicas.first.get("/speakers").json()["total"] == 1
    assert enrol(replicas.first, "bob", voices[1].probe).status_code == 201
    wait_for(lambda: candidates(replicas.second, audio).keys() == {"ada", "bob"})
    # Acknowledged is kept, also through a kill.
    replicas.redis.kill()
    replicas.redis.start()
    wait_for(lambda: replicas.first.get("/readyz").status_code == 200)
    assert replicas.first.get("/speakers").json()["total"] == 2


def test_missed_changes_are_made_up_for(replicas: Replicas, voices: Any) -> None:
    """One replica cannot follow for a while: its connection is cut, and the stream is emptied behind it."""
    audio = voices[0].probe
    with Redis.from_url(replicas.redis.url) as admin:
        assert enrol(replicas.first, "ada", audio).status_code == 201
        admin.xtrim("twofold:changes", maxlen=0)
        admin.client_kill_filter(_type="normal", skipme=True)
        wait_for(lambda: candidates(replicas.second, audio).keys() == {"ada"})
        assert enrol(replicas.first, "bob", voices[1].probe).status_code == 201
        wait_for(lambda: candidates(replicas.second, audio).keys() == {"ada", "bob"})
        # A database that was emptied, or put back to an earlier state, is noticed too, and so is its model.
        both = (replicas.first, replicas.second)
        backup = {key: admin.dump(key) for key in admin.scan_iter()}
        assert replicas.first.post("/models/0.1.0/activate").status_code == 200
        wait_for(lambda: serving(replicas.second) == "autodecompose/0.1.0")
        admin.flushall()
        wait_for(lambda: admin.get("twofold:active_model") == b"autodecompose/0.1.0")
        wait_for(lambda: not any(candidates(http, audio) for http in both))
        assert {serving(http) for http in both} == {"autodecompose/0.1.0"}
        with admin.pipeline() as pipe:  # as a start from the backup's file: all at once
            pipe.flushall()
            for key, value in backup.items():
                pipe.restore(key, 0, value)
            pipe.execute()
        wait_for(lambda: {serving(http) for http in both} == {"autodecompose/0.2.0"})
        wait_for(lambda: all(candidates(http, audio).keys() == {"ada", "bob"} for http in both))


def test_a_service_started_without_redis_waits_for_it(
    start_service: Any, start_redis: Any, tiny_models: Path, tmp_path: Path, voices: Any
) -> None:
    redis = start_redis()
    redis.stop()
    service = start_service(tiny_models, redis_url=redis.url, state_dir=tmp_path, ready=False)
    with service.client() as http:
        refused = http.get("/readyz")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        redis.start()
        service.wait_ready()
        assert enrol(http, "ada", voices[0].probe).status_code == 201
    service.stop()
    redis.stop()


def test_a_switch_reaches_every_replica(replicas: Replicas, voices: Any) -> None:
    retained, discarded = voices[0].probe, voices[1].probe
    assert enrol(replicas.first, "kept", retained, retain=True).status_code == 201
    assert enrol(replicas.second, "lost", discarded).status_code == 201
    answer = replicas.first.post("/models/0.1.0/activate").json()
    assert answer["speakers"] == SWITCHED
    wait_for(lambda: serving(replicas.second) == "autodecompose/0.1.0")
    for http in (replicas.first, replicas.second):
        assert candidates(http, retained).keys() == {"kept"}
        assert verify(http, "lost", discarded).status_code == 409
    # And back, from the other one, while requests go on.
    assert replicas.second.post("/models/0.2.0/activate").json()["speakers"]["kept"] == 2
    wait_for(lambda: serving(replicas.first) == "autodecompose/0.2.0")
    for http in (replicas.first, replicas.second):
        assert candidates(http, retained).keys() == {"kept", "lost"}


def test_no_request_fails_while_the_other_replica_switches(replicas: Replicas, voices: Any) -> None:
    short = voices[0].short
    assert enrol(replicas.first, "ada", voices[0].probe, retain=True).status_code == 201
    wait_for(lambda: candidates(replicas.second, short))
    answers: list[httpx.Response] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            answers.append(replicas.second.post("/identify", files={"audio": ("a.opus", short)}))

    def answered() -> set[str]:
        return {answer.json()["model"] for answer in answers if answer.status_code == 200}

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        wait_for(answered)
        assert replicas.first.post("/models/0.1.0/activate").status_code == 200
        wait_for(lambda: len(answered()) == 2)
    finally:
        enough.set()
        asking.join()
    assert {answer.status_code for answer in answers} == {200}
    assert {c["speaker_id"] for answer in answers for c in answer.json()["candidates"]} == {"ada"}
    assert all(len(answer.json()["candidates"]) == 1 for answer in answers)


def test_a_switch_outlives_every_process(
    start_service: Any, start_redis: Any, tiny_models: Path, tmp_path: Path
) -> None:
    redis = start_redis()
    for version in ("0.1.0", "0.2.0"):
        service = start_service(tiny_models, redis_url=redis.url, state_dir=tmp_path)
        with service.client() as http:
            assert http.post(f"/models/{version}/activate").status_code == 200
        service.stop()
        again = start_service(tiny_models, redis_url=redis.url, state_dir=tmp_path / "another")
        with again.client() as http:
            assert serving(http) == f"autodecompose/{version}"
        again.stop()
    redis.stop()


def test_a_replica_without_the_version_says_so_and_takes_it_when_it_comes(
    start_service: Any, start_redis: Any, tiny_models: Path, write_bundle: Any, tmp_path: Path, voices: Any
) -> None:
    redis, here, there = start_redis(), tmp_path / "here", tmp_path / "there"
    write_bundle(here / "models", "0.3.0", seed=3, day=3)
    has = start_service(tiny_models, redis_url=redis.url, state_dir=here)
    lacks = start_service(tiny_models, redis_url=redis.url, state_dir=there)
    with has.client() as first, lacks.client() as second:
        assert first.post("/models/0.3.0/activate").status_code == 200
        wait_for(lambda: "model_not_adopted" in lacks.log_file.read_text())
        assert candidates(second, voices[0].short) == {}  # it goes on answering from what it has
        # But nothing is enrolled under a model that no longer serves.
        refused = enrol(second, "ada", voices[0].probe)
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert first.get("/speakers").json()["total"] == 0
        write_bundle(there / "models", "0.3.0", seed=3, day=3)
        wait_for(lambda: serving(second) == "autodecompose/0.3.0")
        assert enrol(second, "ada", voices[0].probe).status_code == 201
    has.stop()
    lacks.stop()
    redis.stop()
