"""Removes what jobs leave behind when a process is killed, and what they hold of an erased speaker."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from service.errors import Conflict, NotFound
from service.jobs import lifecycle
from service.jobs.files import Folders
from service.jobs.store import JobStore


def tidy(store: JobStore, folders: Folders) -> dict[str, str]:
    """Deletes folders of jobs that are over or were never stored. Raises StoreUnavailable.

    Returns what may be such a folder and cannot be told yet, as place and reason.
    """
    left: dict[str, str] = {}
    for job_id in folders.jobs():
        folder = folders.job(job_id)
        # The lock is looked at first: a job that is stored in between is found then.
        submitted = folder.being_submitted
        try:
            job = store.get(job_id)
        except NotFound:
            if submitted:
                left[f"jobs/{job_id}"] = "The job is being stored."
                continue
            folder.remove()
        else:
            if job.over and (job.readable or job.damaged):
                folders.clear(job)
    return left


def forget(speaker_id: str, store: JobStore, folders: Folders) -> dict[str, str]:
    """Ends jobs that use a speaker's audio, and removes the speaker from all jobs.

    To be called until nothing is left. Returns what is left, as place and reason. Raises StoreUnavailable.
    """
    left = tidy(store, folders)
    for job in store.naming(speaker_id):
        if not job.over:
            with suppress(Conflict):  # over meanwhile
                job = store.update(job.job_id, lambda job: lifecycle.cancel(job, datetime.now(UTC)))
        if not job.readable:
            folders.job(job.job_id).remove()
        elif job.over:
            folders.clear(job)
        if folders.job(job.job_id).path.exists():
            reason = "It cannot be deleted." if job.over else "Its worker is ending the job."
            left[f"jobs/{job.job_id}"] = reason
    if left:
        return left
    # Last: until here the records say which jobs there are.
    store.scrub(speaker_id)
    return dict(store.clean())
