"""The protocol of job stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from service.errors import Conflict, NotFound, Overloaded
from service.jobs.records import Job, JobPage

Change = Callable[[Job], Job]


class JobStore(Protocol):
    """Stores job records. Every method may be called from any thread and any process.

    A change is durable once its call returns. A record that cannot be read is given as `read_job` does. All
    methods raise `StoreUnavailable` while the store is out of reach.
    """

    def add(self, job: Job, *, most_open: int, most_bytes: int) -> None:
        """Stores a new job. Raises `Overloaded` as `check_room` does, atomically with storing."""
        ...

    def get(self, job_id: str) -> Job:
        """Raises `NotFound`."""
        ...

    def list(self, *, limit: int, before: str | None = None) -> JobPage:
        """At most `limit` jobs that are older than `before`, newest first."""
        ...

    def update(self, job_id: str, change: Change) -> Job:
        """Replaces a job by `change(job)` atomically, and returns the new record.

        Raises `NotFound` and what `change` raises; then nothing is changed. `change` may be called more
        than once and must have no side effects. Raises `Conflict` where the record cannot be read.
        """
        ...

    def count(self) -> int:
        """Number of jobs."""
        ...

    def remove(self, job_ids: Collection[str]) -> None:
        """Removes jobs that are `settled`. Ids without a job are passed over."""
        ...

    def naming(self, speaker_id: str) -> Sequence[Job]:
        """All jobs with a recording of this speaker, whatever their state."""
        ...

    def scrub(self, speaker_id: str) -> None:
        """Takes the speaker's id out of all records, also out of those that cannot be read."""
        ...

    def clean(self) -> Mapping[str, str]:
        """Removes what was overwritten from the files of the store, as `Gallery.clean` does."""
        ...

    def unsettled(self) -> Sequence[Job]:
        """All jobs that are not `settled`, oldest first."""
        ...

    def close(self) -> None:
        """Closes the store. Later calls raise `StoreUnavailable`."""
        ...


def check_room(job: Job, unsettled: Sequence[Job], *, most_open: int, most_bytes: int) -> None:
    """Checks that one more job fits in.

    Raises:
        Overloaded: its client has `most_open` unfinished jobs, or all recordings together would take more
            than `most_bytes`.
    """
    unfinished = [other for other in unsettled if not other.over]
    if sum(other.client == job.client for other in unfinished) >= most_open:
        raise Overloaded(
            f"You have {most_open} unfinished jobs, the limit (TWOFOLD_FINETUNE_QUEUE). "
            "Wait for a job, or cancel a job with DELETE /finetune/{job_id}.",
            retry_after_s=30,
        )
    if sum(other.size_bytes for other in unfinished) + job.size_bytes > most_bytes:
        raise Overloaded(
            f"The recordings of all unfinished jobs would take more than {most_bytes} bytes "
            "(TWOFOLD_FINETUNE_DISK_BYTES). Send less audio, or try again when jobs have ended.",
            retry_after_s=60,
        )


def changed(job: Job, change: Change) -> Job:
    """`change(job)`. Raises Conflict where the record of the job cannot be read."""
    if not job.readable:
        raise Conflict(f"Job {job.job_id!r} cannot be changed. {job.error}")
    return change(job)


def unknown_job(job_id: str) -> NotFound:
    """The error of a store without this job."""
    return NotFound(
        f"There is no job {job_id!r}. It may have ended so long ago that its record was removed. "
        "GET /finetune lists all jobs."
    )
