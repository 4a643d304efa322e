"""Jobs on a real Redis that is stopped and started under service and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.redis_server import RedisServer
from tests.service.jobs.conftest import House, running, wait_for

STEPS = 40


@pytest.fixture(scope="module")
def redis(start_redis: Callable[..., RedisServer]) -> RedisServer:
    """A Redis of this module's own."""
    return start_redis()


@pytest.fixture(scope="module")
def shared(open_house: Callable[..., House], redis: RedisServer) -> Iterator[House]:
    """A service on it, without a worker."""
    house = open_house(redis_url=redis.url)
    yield house
    assert 'status="500"' not in house.http.get("/metrics").text


def answers(house: House, status: int) -> None:
    """Waits for this status of the job list."""
    wait_for(lambda: house.http.get("/finetune"), lambda answer: answer.status_code == status)


def test_a_job_outlives_its_redis(shared: House, redis: RedisServer, recordings: list[bytes]) -> None:
    workers = [shared.start_worker(), shared.start_worker()]
    job_id = shared.submit(*recordings, steps=STEPS)
    shared.wait(job_id, running)
    redis.kill()
    answers(shared, 503)
    refused = shared.http.post("/finetune", files={"audio": max(recordings, key=len)})
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    redis.start()
    answers(shared, 200)
    assert [path.name for path in (shared.folders.state_dir / "jobs").iterdir()] == [job_id]
    job = shared.wait_over(job_id)
    assert job["state"] == "succeeded", job
    assert shared.versions() == [job["version"]]
    # The same workers go on.
    after = shared.submit(*recordings, steps=1)
    assert shared.wait_over(after)["state"] == "succeeded"
    assert all(worker.process.poll() is None for worker in workers)
    for worker in workers:
        worker.stop()


def test_a_killed_worker_is_taken_over_from_long_before_redis_delivers_again(
    shared: House, recordings: list[bytes]
) -> None:
    before = shared.versions()
    job_id = shared.submit(*recordings, steps=STEPS)
    first = shared.start_worker()
    wait_for(lambda: list(shared.folders.job(job_id).path.glob("work-*/checkpoint.safetensors")), bool)
    first.kill()
    second = shared.start_worker()
    job = shared.wait_over(job_id)
    second.stop()
    assert job["state"] == "succeeded", job
    assert shared.record(job_id).attempts == 2
    assert second.events("first_step")[0]["step"] > 10
    assert len(shared.versions()) == len(before) + 1
