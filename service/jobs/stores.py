"""Opens the job store of the settings."""

from __future__ import annotations

from service.jobs.files import Folders
from service.jobs.redis_store import RedisJobStore
from service.jobs.sqlite_store import SqliteJobStore
from service.jobs.store import JobStore
from service.settings import Settings


def open_store(settings: Settings, folders: Folders) -> JobStore:
    """The job store of these settings. Raises StoreUnavailable if the embedded store cannot be used."""
    if settings.redis_url:
        return RedisJobStore(settings.redis_url.get_secret_value())
    return SqliteJobStore(folders.store)
