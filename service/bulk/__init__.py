"""Enrolments of many people from one archive, worked off in the background.

`archive` reads zip and tar. `records` says what a job is and what became of each recording, `store` keeps
these records in SQLite and `redis_store` in Redis. `desk` works the jobs off.
"""

from service.bulk.archive import Archive, open_archive
from service.bulk.desk import BulkDesk, Enrol, Work, patiently
from service.bulk.records import BulkJob, JobState, Outcome, PersonOutcome, RecordingOutcome
from service.bulk.redis_store import RedisBulkStore
from service.bulk.store import BULK_FILE, BulkStore, SqliteBulkStore

__all__ = [
    "BULK_FILE",
    "Archive",
    "BulkDesk",
    "BulkJob",
    "BulkStore",
    "Enrol",
    "JobState",
    "Outcome",
    "PersonOutcome",
    "RecordingOutcome",
    "RedisBulkStore",
    "SqliteBulkStore",
    "Work",
    "open_archive",
    "patiently",
]
