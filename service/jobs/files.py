"""The files of jobs: recordings, checkpoints, new versions, messages."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bundle.folders import bundle_folders
from bundle.manifest import MANIFEST
from service.errors import StoreUnavailable
from service.jobs.records import MADE_BY_JOB, Job, JobFile
from service.speakers.cipher import AudioCipher
from service.stores.disk import disk_full, is_full

_LOCK = "lock"
_UNLOCKED_S = 10.0  # a folder may be without its lock for this long


class UnreadableAudio(Exception):
    """The key that encrypted a recording is missing."""

    def __init__(self) -> None:
        super().__init__(
            "The recordings are encrypted and the worker lacks their key. Give it the TWOFOLD_AUDIO_KEY of "
            "the service."
        )


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job, deleted when the job is over."""

    path: Path

    @property
    def audio(self) -> Path:
        """The recordings."""
        return self.path / "audio"

    @contextmanager
    def submitting(self) -> Iterator[None]:
        """Makes the folder, and marks it as one whose job is being stored until the block ends.

        The mark is a lock, which ends with its process: what a killed one left is recognised at once.
        Raises StoreUnavailable.
        """
        with ExitStack() as stack:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = stack.enter_context((self.path / _LOCK).open("wb"))
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise _not_stored(error) from error
            yield

    @property
    def being_submitted(self) -> bool:
        """Whether a process, on whatever machine, is storing the job of this folder."""
        try:
            with (self.path / _LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:  # not locked yet, or from an earlier release
            # In the future: the clock was set back since.
            return self.path.exists() and abs(time.time() - self.path.stat().st_mtime) < _UNLOCKED_S
        return False

    def write_audio(self, recordings: Mapping[str, bytes]) -> None:
        """Stores recordings by file name, all or none. Only the service's user may read them.

        Raises StoreUnavailable if the disk is full.
        """
        try:
            for name, data in recordings.items():
                file = self.audio / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
        except OSError as error:
            self.remove()
            raise _not_stored(error) from error

    @contextmanager
    def readable_audio(self, files: Sequence[JobFile], cipher: AudioCipher) -> Iterator[list[Path]]:
        """Paths of the recordings, decrypted in memory alone: nothing is left of that after a kill.

        Raises UnreadableAudio where a key is missing.
        """
        with ExitStack() as stack:
            paths = []
            for file in files:
                path = self.audio / file.name
                stored = path.read_bytes()
                audio = cipher.unseal(stored)
                if audio is None:
                    raise UnreadableAudio
                if audio is not stored:
                    plain = stack.enter_context(_in_memory())
                    plain.write(audio)
                    plain.flush()
                    path = Path(f"/dev/fd/{plain.fileno()}")
                paths.append(path)
            yield paths

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

    def has_version(self, job: Job) -> bool:
        """Whether the version that the job made is there."""
        return (self.new_version(job.name, job.version) / MANIFEST).is_file()

    def clear_version(self, name: str, version: str) -> None:
        """Deletes what is left of a version without its manifest."""
        folder = self.new_version(name, version)
        if not (folder / MANIFEST).is_file():
            shutil.rmtree(folder, ignore_errors=True)

    def made_versions(self) -> list[tuple[str, str]]:
        """Name and version of every model that a job made, newest first."""
        made = [
            (path.parent.name, path.name)
            for path in (self.state_dir / "models").glob("*/*")
            if MADE_BY_JOB.fullmatch(path.name)
        ]
        return sorted(made, key=lambda model: model[1], reverse=True)  # a version begins with its time

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

    def jobs(self) -> list[str]:
        """Ids of the job folders there are."""
        return sorted(path.name for path in (self.state_dir / "jobs").glob("*"))


def _in_memory() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("recording"), "w+b")
    return tempfile.TemporaryFile()  # without a name: gone with its process


def _not_stored(error: OSError) -> StoreUnavailable:
    if is_full(error):
        return disk_full()
    return StoreUnavailable(
        f"The recordings cannot be stored ({error.strerror}). Nothing was stored; try again later.",
        retry_after_s=60,
    )
