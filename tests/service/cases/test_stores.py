"""C8 and C11: a store that hangs or goes away holds up nothing but what needs it, and ends no stream."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from redis import Redis

from benchmarks.redis_server import RedisServer
from service.api import finetune
from service.errors import StoreUnavailable
from service.settings import Settings
from service.speakers import RedisGallery
from service.stores.threads import THREADS, StoreThreads
from tests.conftest import StartRedis
from tests.service.in_process import serving
from tests.service.jobs.conftest import wait_for
from tests.service.jobs.test_api import named_events

LISTERS = 30  # more than there are threads for the store


@pytest.fixture
def redis(start_redis: StartRedis) -> Iterator[RedisServer]:
    server = start_redis()
    yield server
    server.stop()


def test_c8_a_hung_redis_holds_up_no_search(
    redis: RedisServer, tiny_models: Path, tmp_path: Path, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.redis._ANSWER_S", 600.0)  # longer than a slow machine takes
    settings = Settings(models_dir=tiny_models, state_dir=tmp_path, redis_url=redis.url)
    with serving(settings) as http, ThreadPoolExecutor(LISTERS) as pool:
        audio = {"audio": ("a.opus", speech)}
        assert http.post("/speakers", files=audio, data={"speaker_id": "ann"}).status_code == 201
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            lists = [pool.submit(httpx.get, f"{http.base_url}/speakers", timeout=60) for _ in range(LISTERS)]
            for _ in range(3):
                identified = http.post("/identify", files=audio)
                assert (identified.status_code, identified.json()["match"]["speaker_id"]) == (200, "ann")
            ready = http.get("/readyz")
            assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
            assert http.get("/metrics").status_code == 200
            assert not all(answer.done() for answer in lists)  # they wait for Redis, and nothing else does
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        assert {answer.result().status_code for answer in lists} <= {200, 503}
        assert http.get("/readyz").status_code == 200


def test_c11_events_outlive_an_outage_or_say_why_they_end(
    redis: RedisServer, tiny_models: Path, tmp_path: Path, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "_EVENT_S", 0.05)
    settings = Settings(models_dir=tiny_models, state_dir=tmp_path, redis_url=redis.url)
    with serving(settings) as http, httpx.Client(base_url=http.base_url, timeout=60) as other:

        def job_path() -> str:
            answer = other.post("/finetune", files={"audio": ("a.opus", speech)})
            return f"/finetune/{answer.json()['job_id']}"

        job = job_path()
        with http.stream("GET", f"{job}/events") as answer:
            events = named_events(answer)
            assert next(events)[1]["state"] == "queued"
            redis.stop()
            time.sleep(20 * finetune._EVENT_S)
            redis.start()
            wait_for(lambda: other.delete(job).status_code, lambda status: status == 202)
            assert [(name, data["state"]) for name, data in events] == [("job", "canceled")]

        monkeypatch.setattr(finetune, "_OUTAGE_S", 0.0)
        with http.stream("GET", f"{job_path()}/events") as answer:
            events = named_events(answer)
            next(events)
            redis.stop()
            assert [(name, data["code"]) for name, data in events] == [("end", "store_unavailable")]


def test_a_redis_that_would_forget_voices_is_named(start_redis: StartRedis) -> None:
    redis = start_redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with closing(RedisGallery(redis.url)) as gallery, Redis.from_url(redis.url) as admin:
        (notice,) = gallery.check()
        assert "allkeys-lru. Set noeviction." in notice
        admin.config_set("maxmemory-policy", "noeviction")
        assert gallery.check() == ()
    redis.stop()


def test_c8_calls_of_a_hung_store_are_given_up_and_never_made_later() -> None:
    hanging, made = threading.Event(), list[int]()

    async def crowd() -> list[object]:
        with closing(StoreThreads(longest_wait_s=0.05)) as threads, closing(StoreThreads()) as others:
            first = [asyncio.create_task(threads.run(hanging.wait)) for _ in range(THREADS)]
            late = [asyncio.create_task(threads.run(made.append, i)) for i in range(3)]
            refused = await asyncio.gather(*late, return_exceptions=True)
            with pytest.raises(StoreUnavailable, match="does not answer"):
                await others.soon(hanging.wait)
            hanging.set()
            assert await asyncio.gather(*first) == [True] * THREADS
            return refused

    assert {type(error) for error in asyncio.run(crowd())} == {StoreUnavailable}
    assert made == []
