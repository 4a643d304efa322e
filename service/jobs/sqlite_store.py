"""The embedded job store: one SQLite file that the service and its workers share."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from service.jobs.records import JOB, NOBODY, Job, JobPage, read_job, speaker_text
from service.jobs.store import Change, changed, check_room, unknown_job
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
            secure_delete=True,
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
                "SELECT job_id, record FROM jobs WHERE ? IS NULL OR job_id < ? ORDER BY job_id DESC LIMIT ?",
                (before, before, limit + 1),  # one more tells whether there is another page
            ).fetchall()
        jobs = tuple(read_job(*row) for row in rows)
        return JobPage(jobs[:limit], next_before=jobs[limit - 1].job_id if len(jobs) > limit else None)

    def update(self, job_id: str, change: Change) -> Job:
        with self._file.transaction() as db:
            job = changed(_select(db, job_id), change)
            db.execute("REPLACE INTO jobs VALUES (?, ?, ?)", _row(job))
            return job

    def count(self) -> int:
        with self._file.reading() as db:
            (count,) = db.execute("SELECT count(*) FROM jobs").fetchone()
        return int(count)

    def remove(self, job_ids: Collection[str]) -> None:
        with self._file.transaction() as db:
            db.executemany("DELETE FROM jobs WHERE job_id = ?", [(job_id,) for job_id in job_ids])

    def naming(self, speaker_id: str) -> Sequence[Job]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT job_id, record FROM jobs WHERE instr(record, ?) ORDER BY job_id",
                (speaker_text(speaker_id),),
            ).fetchall()
        return [read_job(*row) for row in rows]

    def scrub(self, speaker_id: str) -> None:
        with self._file.transaction() as db:
            db.execute(
                "UPDATE jobs SET record = replace(record, ?1, ?2) WHERE instr(record, ?1)",
                (speaker_text(speaker_id), NOBODY),
            )

    def clean(self) -> Mapping[str, str]:
        if self._file.empty_log():
            return {}
        return {"job store": "Another program uses jobs.sqlite: its log cannot be emptied."}

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
    return read_job(job_id, row[0])


def _unsettled(db: sqlite3.Connection) -> list[Job]:
    rows = db.execute("SELECT job_id, record FROM jobs WHERE NOT settled ORDER BY job_id").fetchall()
    return [job for row in rows if not (job := read_job(*row)).settled]
