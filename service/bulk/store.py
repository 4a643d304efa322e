"""Where records of bulk enrolments are kept. The calls block."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from service.bulk.records import BulkJob, read_job, write_job
from service.stores.sqlite import SqliteFile

BULK_FILE = "enrolments.sqlite"  # in TWOFOLD_STATE_DIR
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE enrolments (
    job_id TEXT PRIMARY KEY,
    record TEXT NOT NULL     -- the whole BulkJob as JSON
) STRICT, WITHOUT ROWID;
"""


class BulkStore(ABC):
    """Records by job id. All methods may be called from any thread, and raise StoreUnavailable.

    A record that cannot be read is as unknown as none, and is removed with the next speaker who is erased.
    """

    shared: ClassVar[bool]  # whether several processes may work on jobs

    def add(self, job: BulkJob) -> None:
        """Stores a new job."""
        self._replace(job.job_id, None, write_job(job))

    def get(self, job_id: str) -> BulkJob | None:
        """The job, if there is one."""
        record = self._get(job_id)
        return None if record is None else read_job(record)

    def update(self, job_id: str, change: Callable[[BulkJob], BulkJob]) -> BulkJob | None:
        """Replaces a job by `change(job)`, atomically. None: there is no such job any more."""
        while (record := self._get(job_id)) is not None and (job := read_job(record)) is not None:
            changed = change(job)
            if changed == job or self._replace(job_id, record, write_job(changed)):
                return changed
        return None

    def remove(self, job_id: str) -> None:
        """Removes a job, if it is there."""
        while (record := self._get(job_id)) is not None and not self._replace(job_id, record, None):
            pass

    def jobs(self) -> list[BulkJob]:
        """All jobs."""
        return [job for record in self._all().values() if (job := read_job(record)) is not None]

    def forget(self, stored_id: str) -> bool:
        """Takes a speaker out of all jobs. Returns whether one was still to enrol the speaker."""
        waiting = False
        for job_id, record in self._all().items():
            job = read_job(record)
            if job is None:
                self.remove(job_id)
            elif job.without(stored_id) != job:
                self.update(job_id, lambda job: job.without(stored_id))
                waiting |= not job.over
        return waiting

    @abstractmethod
    def clean(self) -> Mapping[str, str]:
        """Removes what was overwritten from the files of the store, as `Gallery.clean` does."""

    @abstractmethod
    def close(self) -> None:
        """Closes the store. Later calls raise StoreUnavailable."""

    @abstractmethod
    def _get(self, job_id: str) -> str | None:
        """The record of a job."""

    @abstractmethod
    def _all(self) -> dict[str, str]:
        """Every record by job id."""

    @abstractmethod
    def _replace(self, job_id: str, before: str | None, after: str | None) -> bool:
        """Writes a record if it is still as `before`, in one step. None stands for no record."""


class SqliteBulkStore(BulkStore):
    """In a file of the state folder, for one process."""

    shared = False

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        """Opens or creates the file. Raises StoreUnavailable when it cannot be used."""
        self._file = SqliteFile(
            path,
            {0: SCHEMA},
            schema_version=SCHEMA_VERSION,
            noun="store of bulk enrolments",
            secure_delete=True,
            busy_timeout_s=busy_timeout_s,
        )

    def clean(self) -> Mapping[str, str]:
        if self._file.empty_log():
            return {}
        return {"bulk enrolments": f"Another program uses {BULK_FILE}: its log cannot be emptied."}

    def close(self) -> None:
        self._file.close()

    def _get(self, job_id: str) -> str | None:
        with self._file.reading() as db:
            return _select(db, job_id)

    def _all(self) -> dict[str, str]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT job_id, record FROM enrolments").fetchall())

    def _replace(self, job_id: str, before: str | None, after: str | None) -> bool:
        with self._file.transaction() as db:
            if _select(db, job_id) != before:
                return False
            if after is None:
                db.execute("DELETE FROM enrolments WHERE job_id = ?", (job_id,))
            else:
                db.execute("REPLACE INTO enrolments VALUES (?, ?)", (job_id, after))
            return True


def _select(db: sqlite3.Connection, job_id: str) -> str | None:
    row = db.execute("SELECT record FROM enrolments WHERE job_id = ?", (job_id,)).fetchone()
    return None if row is None else str(row[0])
