"""A real service and real worker processes: a job ends once, with one new version, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.jobs import CeleryQueue, make_celery
from tests.service.jobs.conftest import LIMIT_S, LONG, House, Worker, running, wait_for

STEPS = 3
RESUMED = 40  # steps, of which a checkpoint keeps every tenth


def send(house: House, job_id: str) -> None:
    """One more message about a job."""
    CeleryQueue(make_celery(house.settings, house.folders)).send(job_id)


def nothing_is_left(house: House) -> None:
    """No recordings, no messages, no halves of versions."""
    assert list((house.folders.state_dir / "jobs").iterdir()) == []
    wait_for(lambda: list(house.folders.messages.iterdir()), lambda files: not files)
    assert not list((house.folders.state_dir / "models").glob("*/.*"))


@pytest.mark.usefixtures("worker")
def test_a_job_becomes_a_version_that_serves(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=STEPS)
    job = house.wait_over(job_id)
    assert job["state"] == "succeeded", job
    assert (job["step"], job["steps"], job["progress"], job["eta_s"]) == (STEPS, STEPS, 1.0, None)
    assert job["loss"] > 0
    assert job["created_at"] < job["started_at"] < job["finished_at"]
    assert (job["error"], job["activation"]) == (None, None)
    assert job["report"]["verdict"] in ("better", "not_better")
    assert job["report"]["reason"]
    assert house.versions() == [job["version"]]
    models = house.http.get("/models").json()
    assert models["active"] == "1.0.0"  # nobody asked for more
    new = next(model for model in models["models"] if model["version"] == job["version"])
    assert (new["parent"], job["model"]) == ("1.0.0", f"autodecompose/{job['version']}")
    switched = house.http.post(f"/models/{job['version']}/activate")
    assert switched.status_code == 200, switched.text
    embedded = house.http.post("/embed", files={"audio": recordings[0]}).json()
    assert embedded["model"] == job["model"]
    assert house.http.post("/models/1.0.0/activate").status_code == 200  # back
    nothing_is_left(house)


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


def test_one_job_delivered_often_to_two_workers_is_done_once(house: House, recordings: list[bytes]) -> None:
    before = house.versions()
    job_id = house.submit(*recordings, steps=STEPS)
    for _ in range(3):
        send(house, job_id)
    workers = [house.start_worker(), house.start_worker()]
    job = house.wait_over(job_id)
    wait_for(lambda: list(house.folders.messages.iterdir()), lambda files: not files)
    send(house, job_id)  # and once more when it is over
    wait_for(lambda: sum(len(w.events("job_not_claimed")) for w in workers), lambda n: n == 4)
    for worker in workers:
        worker.stop()
    assert sum(len(worker.events("job_started")) for worker in workers) == 1
    assert house.job(job_id) == job
    assert house.record(job_id).attempts == 1
    assert len(house.versions()) == len(before) + 1


def test_two_workers_take_two_jobs(house: House, recordings: list[bytes]) -> None:
    jobs = [house.submit(*recordings, steps=LONG) for _ in range(2)]
    workers = [house.start_worker(), house.start_worker()]
    for job_id in jobs:
        house.wait(job_id, running)
    assert sorted(len(worker.events("job_started")) for worker in workers) == [1, 1]
    owners = {house.record(job_id).lease_owner for job_id in jobs}
    assert len(owners) == 2
    for job_id in jobs:
        assert house.http.delete(f"/finetune/{job_id}").status_code == 202
        assert house.wait_over(job_id)["state"] == "canceled"
    for worker in workers:
        worker.stop()
    nothing_is_left(house)


def test_a_lost_message_is_sent_again(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=1)
    for message in house.folders.messages.iterdir():
        message.unlink()
    worker = house.start_worker()
    assert house.wait_over(job_id)["state"] == "succeeded"
    assert worker.events("job_sent_again")
    worker.stop()


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


def test_a_running_job_is_canceled(house: House, worker: Worker, recordings: list[bytes]) -> None:
    before = house.versions()
    job_id = house.submit(*recordings, steps=LONG)
    house.wait(job_id, running)
    answer = house.http.delete(f"/finetune/{job_id}")
    assert answer.status_code == 202
    job = house.wait_over(job_id)
    assert (job["state"], job["error"], job["report"]) == ("canceled", None, None)
    assert house.http.delete(f"/finetune/{job_id}").status_code == 409
    assert house.versions() == before
    # The worker is free again.
    after = house.submit(*recordings, steps=1)
    assert house.wait_over(after)["state"] == "succeeded"
    assert worker.process.poll() is None


def test_a_job_whose_worker_died_can_be_canceled(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=LONG)
    worker = house.start_worker()
    house.wait(job_id, running)
    worker.kill()
    assert house.http.delete(f"/finetune/{job_id}").status_code == 202
    assert house.wait_over(job_id)["state"] == "canceled"  # though no worker is left to do it
    nothing_is_left(house)


def test_a_recording_that_cannot_be_read_fails_its_job(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=STEPS)
    for file in house.folders.job(job_id).audio.iterdir():
        file.write_bytes(b"poison")
    worker = house.start_worker()
    job = house.wait_over(job_id)
    assert (job["state"], job["report"], job["model"]) == ("failed", None, None)
    assert "decoded" in job["error"]
    after = house.submit(*recordings, steps=1)
    assert house.wait_over(after)["state"] == "succeeded"  # the worker lives
    worker.stop()


def test_a_job_that_kills_its_workers_fails(
    open_house: Callable[..., House], recordings: list[bytes]
) -> None:
    house = open_house(finetune_attempts=1)
    job_id = house.submit(*recordings, steps=LONG)
    worker = house.start_worker()
    house.wait(job_id, running)
    worker.kill()
    house.start_worker()
    job = house.wait_over(job_id)
    assert job["state"] == "failed"
    assert "1 attempts" in job["error"]


def test_a_job_that_takes_too_long_fails(open_house: Callable[..., House], recordings: list[bytes]) -> None:
    house = open_house(finetune_timeout_s=1)
    house.start_worker()
    job = house.wait_over(house.submit(*recordings, steps=LONG))
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


def test_messages_hold_no_more_than_the_id(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=1)
    (message,) = house.folders.messages.iterdir()
    sent: dict[str, Any] = json.loads(message.read_text())
    assert sent["content-type"] == "application/json"
    assert sent["headers"]["argsrepr"] == f"['{job_id}']"
    assert house.http.delete(f"/finetune/{job_id}").status_code == 202
