"""What stays of finished jobs and of old versions, with real services over both stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from service.jobs import Folders, Job, JobStore, open_store
from service.jobs.retention import surplus
from service.settings import Settings
from tests.service.conftest import StartService, WriteBundle
from tests.service.jobs.conftest import wait_for
from tests.service.jobs.test_store import ROOMY, new_job

KEEP_JOBS, KEEP_VERSIONS = 3, 2
HOUR = timedelta(hours=1)


def test_who_has_most_loses_the_oldest() -> None:
    newest_first = ["b4", "b3", "b2", "a1", "b1"]
    assert surplus(newest_first, lambda item: item[0], 3) == ["b2", "b1"]
    assert surplus(newest_first, lambda item: item[0], 1) == ["a1", "b3", "b2", "b1"]
    assert surplus(newest_first, lambda item: item[0], 5) == []


@dataclass
class Place:
    """A service without a worker, and what its workers would have stored."""

    http: httpx.Client
    folders: Folders
    store: JobStore
    write_bundle: WriteBundle

    def made(self, day: int, parent: str, **more: object) -> Job:
        """A job that has succeeded on that day, and the version that it made of `parent`."""
        version = f"ft-202611{day:02d}-083015-{day:06x}"
        self.write_bundle(self.folders.state_dir / "models", version, seed=2, day=day + 2, parent=parent)
        job = new_job(parent=parent, version=version, state="succeeded", **more)
        self.store.add(job, **ROOMY)
        return job

    def job(self, job: Job) -> Any:
        return self.http.get(f"/finetune/{job.job_id}").json()

    def versions(self) -> list[str]:
        return [version for _, version in self.folders.made_versions()]

    def jobs(self) -> list[str]:
        return [job["job_id"] for job in self.http.get("/finetune").json()["jobs"]]

    def activate(self, version: str) -> Any:
        answer = self.http.post(f"/models/{version}/activate")
        assert answer.status_code == 200, answer.text
        return answer.json()["speakers"]

    def refused(self, version: str) -> str:
        """Why DELETE /models/{version} is refused."""
        answer = self.http.delete(f"/models/{version}")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), answer.text
        return str(answer.json()["detail"])


@pytest.fixture(scope="module", params=["embedded", "redis"])
def place(
    request: pytest.FixtureRequest,
    start_service: StartService,
    tiny_models: Path,
    tmp_path_factory: pytest.TempPathFactory,
    write_bundle: WriteBundle,
) -> Iterator[Place]:
    settings: dict[str, Any] = {
        "state_dir": tmp_path_factory.mktemp("state"),
        "finetune_keep_jobs": KEEP_JOBS,
        "finetune_keep_versions": KEEP_VERSIONS,
        "finetune_keep_uploads_s": 3600,
    }
    if request.param == "redis":
        settings["redis_url"] = request.getfixturevalue("redis_url")
        with Redis.from_url(settings["redis_url"]) as redis:
            redis.flushall()
    folders = Folders(settings["state_dir"], tiny_models)
    service = start_service(tiny_models, **settings)
    with service.client() as http, closing(open_store(Settings(**settings), folders)) as store:
        yield Place(http, folders, store, write_bundle)
        assert 'status="500"' not in http.get("/metrics").text
    service.stop()


def test_old_versions_go_and_what_is_needed_stays(place: Place, speech: bytes) -> None:
    first, second = place.made(1, "0.2.0"), place.made(2, "0.2.0")
    place.activate(first.version)
    enrolled = place.http.post("/speakers", files={"audio": speech}, data={"speaker_id": "ada"})
    assert enrolled.status_code == 201, enrolled.text
    third, fourth = place.made(3, first.version), place.made(4, first.version)
    newest = [fourth.version, third.version]
    assert wait_for(place.versions, lambda versions: len(versions) == 3) == [*newest, first.version]
    assert "serves" in place.refused(first.version)
    assert place.job(second)["version_removed"] is True
    assert place.job(fourth)["version_removed"] is False

    assert place.activate(fourth.version)["mapped"] == 1
    assert "way back" in place.refused(first.version)  # the parent of what serves
    unfinished = replace(new_job(parent=third.version), state="running")
    place.store.add(unfinished, **ROOMY)
    assert unfinished.job_id in place.refused(third.version)
    place.store.update(unfinished.job_id, lambda job: replace(job, state="failed"))

    assert place.activate("0.1.0")["stale"] == 1  # made of nothing that ada is enrolled under
    fifth, sixth = place.made(5, "0.1.0"), place.made(6, "0.1.0")
    rest = [sixth.version, fifth.version, fourth.version, first.version]
    assert wait_for(place.versions, lambda versions: third.version not in versions) == rest
    assert "stale" in place.refused(fourth.version)
    assert place.http.delete("/speakers/ada").status_code == 204
    assert place.http.delete(f"/models/{fourth.version}").status_code == 204


def test_recordings_do_not_wait_for_ever_and_old_records_go(place: Place) -> None:
    waiting, lost = new_job(created_at=datetime.now(UTC)), new_job(created_at=datetime.now(UTC) - 2 * HOUR)
    for job in (waiting, lost):
        place.folders.job(job.job_id).audio.mkdir(parents=True)
        place.store.add(job, **ROOMY)
    failed = wait_for(lambda: place.job(lost), lambda job: job["finished_at"] is not None)
    assert (failed["state"], failed["version_removed"]) == ("failed", False)
    assert "service worker" in failed["error"]
    wait_for(place.folders.job(lost.job_id).path.exists, lambda exists: not exists)
    assert place.folders.job(waiting.job_id).path.exists()

    over = [place.made(7 + i, "0.2.0") for i in range(KEEP_JOBS)]
    left = [*(job.job_id for job in reversed(over)), waiting.job_id]
    wait_for(place.jobs, lambda jobs: jobs == left)
    assert place.http.get(f"/finetune/{lost.job_id}").status_code == 404
