"""A parent that can be fine-tuned, and real services and workers that share a state folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.jobs import Folders, Job, open_store
from service.settings import Settings
from tests.service.conftest import RunningService, StartService, Voice

LIMIT_S = 180.0
FAST = {"finetune_lease_s": 2, "finetune_threads": 1, "inference_threads": 1}
LONG = 5000  # steps: more than any test waits for


@dataclass
class Worker:
    """A worker in a process of its own."""

    process: subprocess.Popen[bytes]
    log_file: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it logged under this name."""
        lines = [line for line in self.log_file.read_text().splitlines() if line.startswith("{")]
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self.process.kill()
        self.process.wait(LIMIT_S)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)


@dataclass
class House:
    """One state folder, and whoever works in it."""

    service: RunningService
    http: httpx.Client
    folders: Folders
    settings: Settings
    start_worker: Callable[[], Worker]

    def submit(self, *recordings: bytes, **form: object) -> str:
        """The id of a new job."""
        files = [("audio", (f"{i}.opus", data)) for i, data in enumerate(recordings)]
        answer = self.http.post("/finetune", files=files, data={k: str(v) for k, v in form.items()})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it."""
        answer = self.http.get(f"/finetune/{job_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def wait(self, job_id: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as `reached` is true of it."""
        return wait_for(lambda: self.job(job_id), reached)

    def wait_over(self, job_id: str) -> dict[str, Any]:
        """The job once it is over and its recordings are gone."""
        shown = self.wait(job_id, lambda job: job["finished_at"] is not None)
        wait_for(self.folders.job(job_id).path.exists, lambda exists: not exists)
        return shown

    def record(self, job_id: str) -> Job:
        """The job as it is stored."""
        with closing(open_store(self.settings, self.folders)) as store:
            return store.get(job_id)

    def versions(self) -> list[str]:
        """Every model version but the parent."""
        models = self.http.get("/models").json()["models"]
        return [model["version"] for model in models if model["parent"] is not None]


def wait_for(look: Callable[[], Any], reached: Callable[[Any], bool]) -> Any:
    """What `look` sees as soon as `reached` is true of it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        seen = look()
        if reached(seen):
            return seen
        time.sleep(0.02)
    raise AssertionError(f"never reached: {seen}")


def nothing_is_left(house: House) -> None:
    """No recordings, no messages, no halves of versions."""
    assert list((house.folders.state_dir / "jobs").iterdir()) == []
    wait_for(lambda: list(house.folders.messages.iterdir()), lambda files: not files)
    assert not list((house.folders.state_dir / "models").glob("*/.*"))


def running(job: dict[str, Any]) -> bool:
    """Whether training has begun."""
    assert job["state"] in ("queued", "running"), job
    return bool(job["step"])


@pytest.fixture(scope="module")
def open_house(
    start_service: StartService, trainable_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., House]]:
    """`open_house(*options, **settings)`: a service, and `start_worker()`; all stop with the module."""
    with ExitStack() as stack:

        def start(*options: str, **settings: object) -> House:
            state_dir = tmp_path_factory.mktemp("house")
            given = FAST | {"state_dir": state_dir} | settings
            service = start_service(trainable_models, *options, **given)
            given["models_dir"] = trainable_models
            clean = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
            environment = clean | {f"TWOFOLD_{key.upper()}": str(value) for key, value in given.items()}

            def start_worker() -> Worker:
                log_file = tmp_path_factory.mktemp("worker") / "log.jsonl"
                with log_file.open("w") as log:
                    process = subprocess.Popen(
                        [sys.executable, "-m", "service", "worker"], env=environment, stderr=log, stdout=log
                    )
                worker = Worker(process, log_file)
                stack.callback(worker.stop)
                return worker

            http = stack.enter_context(service.client())
            read = Settings(**given)  # type: ignore[arg-type]
            return House(service, http, Folders(state_dir, trainable_models), read, start_worker)

        yield start


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> Iterator[House]:
    """A house with a service and no worker; at the end, nothing was a defect."""
    house = open_house()
    yield house
    assert 'status="500"' not in house.http.get("/metrics").text


@pytest.fixture(scope="module")
def recordings(voices: list[Voice]) -> list[bytes]:
    """Two recordings, about 10 s of speech together, of two people."""
    return [voices[0].short, voices[1].probe]


@pytest.fixture
def worker(house: House) -> Iterator[Worker]:
    """A worker of this house."""
    started = house.start_worker()
    yield started
    started.stop()
