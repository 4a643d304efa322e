"""Which job store the settings ask for."""

from __future__ import annotations

from service.jobs.files import Folders
from service.jobs.sqlite import SqliteJobStore
from service.jobs.store import JobStore
from service.settings import Settings


def open_store(settings: Settings, folders: Folders) -> JobStore:  # noqa: ARG001
    """The job store of these settings. Raises StoreUnavailable."""
    return SqliteJobStore(folders.store)
