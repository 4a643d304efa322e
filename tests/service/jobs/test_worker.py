"""A real worker that lives on: what becomes of jobs, and what of jobs that cannot become anything."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests.service.jobs.conftest import LONG, House, Worker, nothing_is_left, running, wait_for

STEPS = 3


@pytest.fixture(scope="module")
def worker(house: House) -> Iterator[Worker]:
    """One worker for all of these tests."""
    started = house.start_worker()
    wait_for(lambda: " ready." in started.log_file.read_text(), bool)
    yield started
    started.stop()


@contextmanager
def paused(worker: Worker) -> Iterator[None]:
    """Nothing is taken up meanwhile."""
    worker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


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


@pytest.mark.usefixtures("worker")
def test_without_steps_a_job_adapts_and_rolls_back(house: House, recordings: list[bytes]) -> None:
    job = house.wait_over(house.submit(*recordings))
    assert (job["state"], job["step"], job["steps"], job["progress"], job["loss"]) == (
        "succeeded",
        0,
        0,
        1.0,
        None,
    )
    png = house.http.get(f"/finetune/{job['job_id']}/report.png")
    assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
    assert png.content.startswith(b"\x89PNG")
    embeddings = []
    for version in (job["version"], "1.0.0"):
        assert house.http.post(f"/models/{version}/activate").status_code == 200
        answer = house.http.post("/embed", files={"audio": recordings[0]}).json()
        embeddings.append(answer["results"][0]["embedding"])
    assert np.linalg.norm(embeddings[0]) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(*embeddings, atol=1e-4)
    shipped = house.http.delete("/models/1.0.0")
    assert (shipped.status_code, shipped.json()["code"]) == (409, "conflict")
    assert house.http.post(f"/models/{job['version']}/activate").status_code == 200
    assert house.http.delete(f"/models/{job['version']}").status_code == 409  # it serves
    assert house.http.post("/models/1.0.0/activate").status_code == 200
    assert house.http.delete(f"/models/{job['version']}").status_code == 204
    assert house.http.delete(f"/models/{job['version']}").status_code == 404
    assert job["version"] not in house.versions()
    assert house.http.get(f"/finetune/{job['job_id']}/report.png").status_code == 404
    assert house.http.get(f"/finetune/{job['job_id']}").json()["report"] == job["report"]


def test_a_lost_message_is_sent_again(house: House, worker: Worker, recordings: list[bytes]) -> None:
    with paused(worker):
        job_id = house.submit(*recordings, steps=1)
        for message in house.folders.messages.iterdir():
            message.unlink()
    assert house.wait_over(job_id)["state"] == "succeeded"
    assert worker.events("job_sent_again")


@pytest.mark.usefixtures("worker")
def test_a_running_job_is_canceled(house: House, recordings: list[bytes]) -> None:
    before = house.versions()
    job_id = house.submit(*recordings, steps=LONG)
    house.wait(job_id, running)
    answer = house.http.delete(f"/finetune/{job_id}")
    assert answer.status_code == 202
    job = house.wait_over(job_id)
    assert (job["state"], job["error"], job["report"]) == ("canceled", None, None)
    assert house.http.delete(f"/finetune/{job_id}").status_code == 409
    assert house.versions() == before


def test_a_recording_that_cannot_be_read_fails_its_job(
    house: House, worker: Worker, recordings: list[bytes]
) -> None:
    with paused(worker):
        job_id = house.submit(*recordings, steps=STEPS)
        for file in house.folders.job(job_id).audio.iterdir():
            file.write_bytes(b"poison")
    job = house.wait_over(job_id)
    assert (job["state"], job["report"], job["model"]) == ("failed", None, None)
    assert "decoded" in job["error"]
    after = house.submit(*recordings, steps=1)
    assert house.wait_over(after)["state"] == "succeeded"  # the worker lives
