"""The embedded job store: one SQLite file that the service and its workers share."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from service.errors import StoreUnavailable
from service.jobs.records import JOB, Job, JobPage
from service.jobs.store import Change, check_room, unknown_job
from service.stores.sqlite import transaction

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
    """`JobStore` in one file. Between processes, SQLite's own lock makes changes atomic."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        """Opens or creates the file. Raises `StoreUnavailable` when it cannot be used."""
        self._lock = threading.Lock()
        with _translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(path)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # fsync at every commit: acknowledged means durable
        with self._transaction() as db:  # service and worker may start at once
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise StoreUnavailable(
                    f"{path} has schema version {version}; this release reads {SCHEMA_VERSION}. "
                    "Start the release that wrote it, or point TWOFOLD_STATE_DIR at another directory."
                )

    def add(self, job: Job, *, most_open: int, most_bytes: int) -> None:
        with self._transaction() as db:
            check_room(job, _unsettled(db), most_open=most_open, most_bytes=most_bytes)
            db.execute("INSERT INTO jobs VALUES (?, ?, ?)", _row(job))

    def get(self, job_id: str) -> Job:
        with self._reading() as db:
            return _select(db, job_id)

    def list(self, *, limit: int, before: str | None = None) -> JobPage:
        with self._reading() as db:
            rows = db.execute(
                "SELECT record FROM jobs WHERE ? IS NULL OR job_id < ? ORDER BY job_id DESC LIMIT ?",
                (before, before, limit + 1),  # one more tells whether there is another page
            ).fetchall()
        jobs = tuple(JOB.validate_json(record) for (record,) in rows)
        return JobPage(jobs[:limit], next_before=jobs[limit - 1].job_id if len(jobs) > limit else None)

    def update(self, job_id: str, change: Change) -> Job:
        with self._transaction() as db:
            job = change(_select(db, job_id))
            db.execute("REPLACE INTO jobs VALUES (?, ?, ?)", _row(job))
            return job

    def unsettled(self) -> Sequence[Job]:
        with self._reading() as db:
            return _unsettled(db)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated():
            yield self._db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db, transaction(db):
            yield db


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(
            f"The job store cannot be used now ({error}). Nothing was changed; try again shortly.",
            retry_after_s=1,
        ) from error


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
