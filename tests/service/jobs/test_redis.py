"""Jobs over Redis: replicas and workers that share it, also when it goes away under them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis

from benchmarks.redis_server import RedisServer
from tests.conftest import StartRedis
from tests.service.conftest import StartService
from tests.service.jobs.conftest import LONG, House, running, wait_for

STEPS = 30


@dataclass
class Site:
    """Two replicas on one Redis, the first of them with `start_worker()`."""

    redis: RedisServer
    house: House
    other: httpx.Client


@pytest.fixture(scope="module")
def site(
    start_redis: StartRedis,
    open_house: Callable[..., House],
    start_service: StartService,
    trainable_models: Path,
) -> Iterator[Site]:
    redis = start_redis()
    house = open_house(redis_url=redis.url)
    other = start_service(trainable_models, redis_url=redis.url, state_dir=house.folders.state_dir)
    with other.client() as client:
        yield Site(redis, house, client)
        for http in (house.http, client):
            assert 'status="500"' not in http.get("/metrics").text


def test_a_better_version_takes_over_everywhere(site: Site, recordings: list[bytes]) -> None:
    """Started at one replica, watched at the other, activated for both."""
    worker = site.house.start_worker()
    job_id = site.house.submit(*recordings, steps=STEPS)
    job = wait_for(
        lambda: site.other.get(f"/finetune/{job_id}").json(), lambda job: job["finished_at"] is not None
    )
    assert job["state"] == "succeeded", job
    assert site.house.versions() == [job["version"]]
    switched = site.other.post(f"/models/{job['version']}/activate")
    assert switched.status_code == 200, switched.text
    for http in (site.house.http, site.other):
        wait_for(lambda http=http: http.get("/models").json()["active"], lambda v: v == job["version"])
    assert site.house.http.post("/models/1.0.0/activate").status_code == 200
    wait_for(lambda: site.other.get("/models").json()["active"], lambda version: version == "1.0.0")
    worker.stop()


def test_a_job_outlives_an_outage_of_redis(site: Site, recordings: list[bytes]) -> None:
    before = site.house.versions()
    worker = site.house.start_worker()
    job_id = site.house.submit(*recordings, steps=STEPS)
    site.house.wait(job_id, running)
    site.redis.stop()
    for http in (site.house.http, site.other):
        refused = http.get(f"/finetune/{job_id}")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    refused = site.other.post("/finetune", files={"audio": ("a.opus", recordings[1])})
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    site.redis.start()
    wait_for(lambda: site.house.http.get("/readyz").status_code, lambda status: status == 200)
    job = site.house.wait_over(job_id)
    assert job["state"] == "succeeded", job
    # Its message may come again: that changes nothing.
    assert len(site.house.versions()) == len(before) + 1
    assert site.house.job(job_id) == job
    worker.stop()


def test_a_killed_worker_is_taken_over_from(site: Site, recordings: list[bytes]) -> None:
    before = site.house.versions()
    first = site.house.start_worker()
    job_id = site.house.submit(*recordings, steps=STEPS)
    site.house.wait(job_id, running)
    first.kill()
    second = site.house.start_worker()
    job = site.house.wait_over(job_id)
    second.stop()
    assert job["state"] == "succeeded", job
    assert len(site.house.versions()) == len(before) + 1


def test_a_lost_queue_is_made_up_for_and_two_workers_take_two_jobs(
    site: Site, recordings: list[bytes]
) -> None:
    jobs = [site.house.submit(*recordings, steps=LONG) for _ in range(2)]
    with Redis.from_url(site.redis.url) as admin:
        admin.delete("finetune")  # Celery's queue: the records are the truth
    workers = [site.house.start_worker(), site.house.start_worker()]
    for job_id in jobs:
        site.house.wait(job_id, running)
    assert sorted(len(worker.events("job_started")) for worker in workers) == [1, 1]
    for job_id in jobs:
        assert site.other.delete(f"/finetune/{job_id}").status_code == 202
        assert site.house.wait_over(job_id)["state"] == "canceled"
    for worker in workers:
        worker.stop()
