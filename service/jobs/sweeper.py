"""An idle worker looks for jobs whose message was lost.

A message can be lost with the worker that held it, and a lease expires when its worker dies. Only idle
workers send messages again: busy ones would only make the queue longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog

from service.errors import StoreUnavailable
from service.jobs import lifecycle
from service.jobs.background import Background
from service.jobs.files import Folders
from service.jobs.queue import JobQueue
from service.jobs.store import JobStore
from service.jobs.tidy import tidy

_TICK_S = 0.5
_IDLE_S = 1.0  # a worker is idle after this time without a job
_PATIENCE_S = 5.0  # a message may take this long to arrive
_TIDY_S = 5.0
_log = structlog.get_logger(__name__)


class Sweeper(Background):
    """Sends lost messages again and deletes leftover folders, in a thread of its own."""

    def __init__(self, store: JobStore, queue: JobQueue, folders: Folders) -> None:
        super().__init__("sweeper")
        self._store = store
        self._queue = queue
        self._folders = folders
        self._idle_since: float | None = time.monotonic()
        self._tidied = -_TIDY_S

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Wraps each job that the worker runs."""
        self._idle_since = None
        try:
            yield
        finally:
            self._idle_since = time.monotonic()

    def _run(self) -> None:
        while not self._ending.wait(_TICK_S):
            idle_since = self._idle_since
            if idle_since is None or time.monotonic() - idle_since < _IDLE_S:
                continue
            try:
                self.sweep()
                if time.monotonic() - self._tidied > _TIDY_S:
                    self.tidy()
                    self._tidied = time.monotonic()
            except StoreUnavailable as error:
                _log.warning("sweep_failed", reason=error.detail)

    def sweep(self) -> None:
        """Sends a message for each job whose message was lost. Raises StoreUnavailable."""
        for job in self._store.unsettled():
            if lifecycle.abandoned(job, datetime.now(UTC), patience_s=_PATIENCE_S):
                self._store.update(job.job_id, lambda job: lifecycle.message_sent(job, datetime.now(UTC)))
                self._queue.send(job.job_id)
                _log.info("job_sent_again", job_id=job.job_id, state=job.state)

    def tidy(self) -> None:
        """Deletes folders of jobs that are over or were never stored. Raises StoreUnavailable."""
        tidy(self._store, self._folders)
