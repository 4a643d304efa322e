"""The files of jobs: recordings, checkpoints, new versions, messages."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.folders import bundle_folders
from service.errors import StoreUnavailable
from service.jobs.records import Job

_UNCLAIMED_S = 3600.0  # an older folder without a job is left over from a process that died


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job, deleted when the job is over."""

    path: Path

    @property
    def audio(self) -> Path:
        """The recordings."""
        return self.path / "audio"

    def write_audio(self, recordings: Mapping[str, bytes]) -> None:
        """Stores recordings by file name, all or none. Only the service's user may read them.

        Raises StoreUnavailable if the disk is full.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, data in recordings.items():
                file = self.audio / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
        except OSError as error:
            self.remove()
            raise StoreUnavailable(
                f"The recordings cannot be stored ({error.strerror}). Nothing was stored; try again later.",
                retry_after_s=60,
            ) from error

    def work(self, token: int) -> Path:
        """The folder of checkpoints for the worker that holds `token`.

        It takes over an earlier worker's folder by renaming it. If that worker still lives, it finds its
        folder gone.
        """
        mine = self.path / f"work-{token}"
        for earlier in self.path.glob("work-*"):
            if earlier != mine:
                earlier.rename(mine)
        mine.mkdir(exist_ok=True)
        return mine

    def remove(self) -> None:
        """Deletes the folder, if it exists."""
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class Folders:
    """The parts of TWOFOLD_STATE_DIR that jobs use."""

    state_dir: Path
    models_dir: Path

    @property
    def store(self) -> Path:
        """The file of the embedded job store."""
        return self.state_dir / "jobs.sqlite"

    @property
    def messages(self) -> Path:
        """The folder of the embedded queue."""
        return self.state_dir / "broker"

    def job(self, job_id: str) -> JobFolder:
        """One job's folder."""
        return JobFolder(self.state_dir / "jobs" / job_id)

    def new_version(self, name: str, version: str) -> Path:
        """Where a job writes its bundle."""
        return self.state_dir / "models" / name / version

    def bundle(self, name: str, version: str) -> Path:
        """The folder of a version, either shipped or made by a job."""
        for shipped in bundle_folders(self.models_dir.resolve()):
            if (shipped.parent.name, shipped.name) == (name, version):
                return shipped
        return self.new_version(name, version)

    def clear(self, job: Job) -> None:
        """Deletes what is left of a job that is over: recordings, checkpoints, an unfinished version."""
        self.job(job.job_id).remove()
        if job.state != "succeeded":
            version = self.new_version(job.name, job.version)
            for path in version.parent.glob(f"*{version.name}*"):  # also leftovers of a killed export
                shutil.rmtree(path, ignore_errors=True)

    def old_jobs(self) -> Iterator[str]:
        """Ids of job folders so old that the store must know their jobs by now."""
        for path in (self.state_dir / "jobs").glob("*"):
            try:
                if time.time() - path.stat().st_mtime > _UNCLAIMED_S:
                    yield path.name
            except FileNotFoundError:  # deleted meanwhile
                continue
