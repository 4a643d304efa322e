"""`python -m service finetune` as a user types it, and what a worker says that cannot run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import app
from tests.service.jobs.conftest import LONG, House, Worker, wait_for

Run = Callable[..., Result]


@pytest.fixture
def cli(house: House) -> Run:
    """Runs the verb against the house's service."""
    return lambda *args: CliRunner().invoke(app, ["finetune", "--url", house.service.url, *args])


@pytest.fixture(scope="module")
def files(recordings: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{i}.opus" for i in range(len(recordings))]
    for path, data in zip(paths, recordings, strict=True):
        path.write_bytes(data)
    return [str(path) for path in paths]


def test_a_job_is_followed_to_its_end(cli: Run, files: list[str], house: House, worker: Worker) -> None:
    done = cli(*files, "--steps", "3", "--activate", "--follow")
    assert done.exit_code == 0, done.stderr
    assert "succeeded, 3 of 3 steps" in done.stdout
    assert "3/3" in done.stderr  # the bar
    (job,) = house.http.get("/finetune").json()["jobs"]
    assert job["activation"]["reason"] in done.stdout.replace("\n", " ")
    again = cli("--job", job["job_id"], "--json")
    followed = json.loads(again.stdout)
    assert followed.pop("activation")["state"] in ("pending", "active")  # it may be switched to meanwhile
    assert followed.items() <= job.items()
    assert worker.process.poll() is None


def test_a_job_that_is_canceled_ends_with_status_1(cli: Run, files: list[str], house: House) -> None:
    started = cli(*files, "--steps", str(LONG), "--json")
    assert started.exit_code == 0, started.stderr
    job_id = json.loads(started.stdout)["job_id"]
    house.http.delete(f"/finetune/{job_id}")
    followed = cli("--job", job_id, "--follow")
    assert followed.exit_code == 1
    assert "canceled" in followed.stdout
    listed = CliRunner().invoke(app, ["jobs", "--url", house.service.url])
    assert job_id in listed.stdout
    assert "canceled" in listed.stdout
    shown = CliRunner().invoke(app, ["jobs", job_id, "--url", house.service.url])
    assert shown.stdout.startswith(f"job {job_id}: canceled")


def test_speakers_alone_are_enough(cli: Run, files: list[str], house: House) -> None:
    with Path(files[1]).open("rb") as audio:
        form = {"speaker_id": "ada", "retain_audio": "true"}
        assert house.http.post("/speakers", files={"audio": audio}, data=form).status_code == 201
    started = cli("--speaker", "ada", "--json")
    assert started.exit_code == 0, started.stderr
    job_id = json.loads(started.stdout)["job_id"]
    house.http.delete(f"/finetune/{job_id}")
    wait_for(house.folders.job(job_id).path.exists, lambda there: not there)
    assert cli("--speaker", "nobody").exit_code == 2


@pytest.mark.parametrize("args", [(), ("--job", "x", "--speaker", "ada"), ("missing.wav",), ("--job", "x")])
def test_usage_errors(cli: Run, args: tuple[str, ...]) -> None:
    assert cli(*args).exit_code == 2
