"""Real workers that are killed and stopped: a job ends once, with one new version, whatever dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from service.jobs import CeleryQueue, make_celery
from tests.service.jobs.conftest import LIMIT_S, LONG, House, nothing_is_left, running, wait_for

STEPS = 3
RESUMED = 40  # steps, of which a checkpoint keeps every tenth


def send(house: House, job_id: str) -> None:
    """One more message about a job."""
    CeleryQueue(make_celery(house.settings, house.folders)).send(job_id)


def test_a_killed_worker_is_taken_over_from(house: House, recordings: list[bytes]) -> None:
    before = house.versions()
    job_id = house.submit(*recordings, steps=RESUMED)
    first = house.start_worker()
    wait_for(lambda: list(house.folders.job(job_id).path.glob("work-*/checkpoint.safetensors")), bool)
    first.kill()
    assert house.job(job_id)["state"] == "running"
    second = house.start_worker()
    job = house.wait_over(job_id)
    second.stop()
    assert job["state"] == "succeeded", job
    assert house.record(job_id).attempts == 2
    (began,) = second.events("first_step")
    assert began["step"] > 10  # not from the start again
    assert len(house.versions()) == len(before) + 1
    nothing_is_left(house)


def test_a_worker_killed_while_exporting_leaves_no_half(house: House, recordings: list[bytes]) -> None:
    before = house.versions()
    caught = 0
    for attempt in range(1, 6):
        job_id = house.submit(*recordings, steps=1)
        worker = house.start_worker()
        version = house.record(job_id).version
        models = house.folders.new_version("autodecompose", version).parent
        deadline = time.monotonic() + LIMIT_S
        while not list(models.glob(f".*{version}*")) and time.monotonic() < deadline:
            time.sleep(0.001)
        worker.process.send_signal(signal.SIGSTOP)
        caught += not (models / version).exists()
        worker.kill()
        second = house.start_worker()
        job = house.wait_over(job_id)
        second.stop()
        assert job["state"] == "succeeded", job
        assert len(house.versions()) == len(before) + attempt
        nothing_is_left(house)
        if caught:
            return
    raise AssertionError("no worker was caught while exporting")


def test_two_workers(house: House, recordings: list[bytes]) -> None:
    """A job delivered often is done once, two are done side by side, a dead worker's can be canceled."""
    before = house.versions()
    job_id = house.submit(*recordings, steps=STEPS)
    for _ in range(3):
        send(house, job_id)
    workers = [house.start_worker(), house.start_worker()]
    job = house.wait_over(job_id)
    wait_for(lambda: list(house.folders.messages.iterdir()), lambda files: not files)
    send(house, job_id)  # and once more when it is over
    wait_for(lambda: sum(len(w.events("job_not_claimed")) for w in workers), lambda n: n == 4)
    assert sum(len(worker.events("job_started")) for worker in workers) == 1
    assert house.job(job_id) == job
    assert house.record(job_id).attempts == 1
    assert len(house.versions()) == len(before) + 1

    jobs = [house.submit(*recordings, steps=LONG) for _ in range(2)]
    for job_id in jobs:
        house.wait(job_id, running)
    assert len({house.record(job_id).lease_owner for job_id in jobs}) == 2
    assert house.http.delete(f"/finetune/{jobs[0]}").status_code == 202
    assert house.wait_over(jobs[0])["state"] == "canceled"
    for worker in workers:
        worker.kill()
    assert house.job(jobs[1])["state"] == "running"
    assert house.http.delete(f"/finetune/{jobs[1]}").status_code == 202
    assert house.wait_over(jobs[1])["state"] == "canceled"  # though no worker is left to do it
    nothing_is_left(house)


def test_a_worker_told_to_stop_hands_the_job_back(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=LONG)
    first = house.start_worker()
    house.wait(job_id, lambda job: job["step"] > 10)
    assert first.stop() == 0
    job = house.job(job_id)
    assert (job["state"], job["error"]) == ("queued", None)
    assert house.record(job_id).attempts == 0  # that was no failure
    second = house.start_worker()
    house.wait(job_id, lambda job: job["state"] == "running")
    house.wait(job_id, lambda _: second.events("first_step"))
    assert second.events("first_step")[0]["step"] > 10
    house.http.delete(f"/finetune/{job_id}")
    house.wait_over(job_id)
    second.stop()


def test_a_job_does_not_go_on_for_ever(open_house: Callable[..., House], recordings: list[bytes]) -> None:
    house = open_house(finetune_attempts=1, finetune_timeout_s=5)
    deadly, slow = (house.submit(*recordings, steps=LONG) for _ in range(2))
    worker = house.start_worker()
    house.wait(deadly, running)
    worker.kill()
    house.start_worker()
    job = house.wait_over(deadly)
    assert job["state"] == "failed"
    assert "1 attempts" in job["error"]
    job = house.wait_over(slow)
    assert job["state"] == "failed"
    assert "TWOFOLD_FINETUNE_TIMEOUT_S" in job["error"]


def children(pid: int) -> list[int]:
    """Processes that any thread of this one started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]


def test_serve_with_a_worker_keeps_one_running(
    open_house: Callable[..., House], recordings: list[bytes]
) -> None:
    house = open_house("--worker")
    service = house.service.process
    (first,) = wait_for(lambda: children(service.pid), bool)
    job_id = house.submit(*recordings, steps=RESUMED, activate="if_better")
    house.wait(job_id, running)
    os.kill(first, signal.SIGKILL)
    job = house.wait(job_id, lambda job: job["activation"] and job["activation"]["state"] != "pending")
    assert job["state"] == "succeeded", job
    better = job["report"]["verdict"] == "better"
    assert job["activation"]["state"] == ("active" if better else "declined")
    assert house.http.get("/models").json()["active"] == (job["version"] if better else "1.0.0")
    (second,) = children(service.pid)
    assert second != first
    house.service.stop()
    assert not Path(f"/proc/{second}").exists()


def test_a_worker_does_not_outlive_the_service(open_house: Callable[..., House]) -> None:
    house = open_house("--worker")
    (worker,) = wait_for(lambda: children(house.service.process.pid), bool)
    house.service.process.kill()
    house.service.process.wait()
    wait_for(Path(f"/proc/{worker}").exists, lambda there: not there)
