"""Fine-tuning jobs: a record with a lease, a queue of job ids, and workers that run the jobs.

`records` and `lifecycle` say what a job is and how it may change. The service uses `desk` and `monitor`, a
worker uses `worker`, `run` and `sweeper`. `sqlite_store` and `redis_store` hold the records, `files` the
folders; `retention` says how much of both stays.
"""

from service.jobs.desk import NO_TORCH, JobDesk, NewFile, can_train
from service.jobs.files import Folders, JobFolder
from service.jobs.monitor import JobMonitor
from service.jobs.queue import CeleryQueue, JobQueue, make_celery
from service.jobs.records import JOB, Activation, Job, JobFile, JobPage
from service.jobs.redis_store import RedisJobStore
from service.jobs.retention import remove_version
from service.jobs.sqlite_store import SqliteJobStore
from service.jobs.store import JobStore
from service.jobs.stores import open_store

__all__ = [
    "JOB",
    "NO_TORCH",
    "Activation",
    "CeleryQueue",
    "Folders",
    "Job",
    "JobDesk",
    "JobFile",
    "JobFolder",
    "JobMonitor",
    "JobPage",
    "JobQueue",
    "JobStore",
    "NewFile",
    "RedisJobStore",
    "SqliteJobStore",
    "can_train",
    "make_celery",
    "open_store",
    "remove_version",
]
