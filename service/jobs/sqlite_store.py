"""The embedded job store: one SQLite file that the service and its workers share."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from service.jobs.records import JOB, Job, JobPage
from service.jobs.store import Change, check_room, unknown_job
from service.stores.sqlite import SqliteFile

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,     -- sorts by creation time
    settled INTEGER NOT NULL,
    record TEXT NOT NULL         -- the whole Job as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX unsettled_jobs ON jobs (job_id) WHERE NOT settled;
"""


class SqliteJobStore:
    """`JobStore` in one file. Several processes may use it at once."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        """Opens or creates the file. Raises `StoreUnavailable` when it cannot be used."""
        self._file = SqliteFile(
            path,
            {0: SCHEMA},
            schema_version=SCHEMA_VERSION,
            noun="job store",
            busy_timeout_s=busy_timeout_s,
        )

    def add(self, job: Job, *, most_open: int, most_bytes: int) -> None:
        with self._file.transaction() as db:
            check_room(job, _unsettled(db), most_open=most_open, most_bytes=most_bytes)
            db.execute("INSERT INTO jobs VALUES (?, ?, ?)", _row(job))

    def get(self, job_id: str) -> Job:
        with self._file.reading() as db:
            return _select(db, job_id)

    def list(self, *, limit: int, before: str | None = None) -> JobPage:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT record FROM jobs WHERE ? IS NULL OR job_id < ? ORDER BY job_id DESC LIMIT ?",
                (before, before, limit + 1),  # one more tells whether there is another page
            ).fetchall()
        jobs = tuple(JOB.validate_json(record) for (record,) in rows)
        return JobPage(jobs[:limit], next_before=jobs[limit - 1].job_id if len(jobs) > limit else None)

    def update(self, job_id: str, change: Change) -> Job:
        with self._file.transaction() as db:
            job = change(_select(db, job_id))
            db.execute("REPLACE INTO jobs VALUES (?, ?, ?)", _row(job))
            return job

    def unsettled(self) -> Sequence[Job]:
        with self._file.reading() as db:
            return _unsettled(db)

    def close(self) -> None:
        self._file.close()


def _row(job: Job) -> tuple[str, bool, str]:
    return job.job_id, job.settled, JOB.dump_json(job).decode()


def _select(db: sqlite3.Connection, job_id: str) -> Job:
    row = db.execute("SELECT record FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise unknown_job(job_id)
    return JOB.validate_json(row[0])


def _unsettled(db: sqlite3.Connection) -> list[Job]:
    rows = db.execute("SELECT record FROM jobs WHERE NOT settled ORDER BY job_id").fetchall()
    return [JOB.validate_json(record) for (record,) in rows]
