"""What every store of jobs has to do, whatever it is built on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from service.errors import NotFound, Overloaded
from service.jobs.records import Job, JobPage

Change = Callable[[Job], Job]


class JobStore(Protocol):
    """Job records. Every method may be called from any thread and any process.

    What returned is durable. All methods raise `StoreUnavailable` while the store is out of reach.
    """

    def add(self, job: Job, *, most_open: int, most_bytes: int) -> None:
        """Stores a new job. Raises `Overloaded` as `check_room` does, atomically with storing."""
        ...

    def get(self, job_id: str) -> Job:
        """Raises `NotFound`."""
        ...

    def list(self, *, limit: int, before: str | None = None) -> JobPage:
        """At most `limit` jobs, newest first, from the one just older than `before`."""
        ...

    def update(self, job_id: str, change: Change) -> Job:
        """Replaces a job by `change(job)`, atomically, and returns the new one.

        Raises `NotFound`, and whatever `change` raises; nothing is changed then. `change` may be called
        more than once and must have no effects of its own.
        """
        ...

    def unsettled(self) -> Sequence[Job]:
        """All jobs that are not `settled`, oldest first."""
        ...

    def close(self) -> None:
        """Lets go of the store. Further calls raise `StoreUnavailable`."""
        ...


def check_room(job: Job, unsettled: Sequence[Job], *, most_open: int, most_bytes: int) -> None:
    """Whether one more job fits in.

    Raises:
        Overloaded: its client has `most_open` unfinished ones already, or all recordings together would take
            more than `most_bytes`.
    """
    unfinished = [other for other in unsettled if not other.over]
    if sum(other.client == job.client for other in unfinished) >= most_open:
        raise Overloaded(
            f"{most_open} of your jobs are not over yet (TWOFOLD_FINETUNE_QUEUE). "
            "Wait for one, or cancel one with DELETE /finetune/{job_id}.",
            retry_after_s=30,
        )
    if sum(other.size_bytes for other in unfinished) + job.size_bytes > most_bytes:
        raise Overloaded(
            f"The recordings of unfinished jobs fill their {most_bytes} bytes "
            "(TWOFOLD_FINETUNE_DISK_BYTES). Send fewer, or try again when jobs have ended.",
            retry_after_s=60,
        )


def unknown_job(job_id: str) -> NotFound:
    """What stores raise."""
    return NotFound(f"There is no job {job_id!r}. GET /finetune lists those that are.")
