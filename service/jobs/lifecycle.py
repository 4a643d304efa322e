"""Every change of a job, as functions from record to record. Stores apply them atomically.

queued ─ claim → running ─ succeed, fail → succeeded, failed
   ↑                │└──── cancel, renew → canceled
   ├─ release ──────┘
   └─ expire → failed

When the lease of a running job has expired, another worker may claim the job. That raises its token, so that
later changes by the first worker are refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from service.errors import Conflict
from service.jobs.records import Activation, Job


class LeaseLost(Exception):
    """Another worker has the job now, or it is over. Stop working on it."""


class NotClaimable(Exception):
    """Another worker has the job, or it is over: a message about it came twice."""


def claim(job: Job, owner: str, now: datetime, *, lease_s: float, most_attempts: int) -> Job:
    """Gives the job to `owner`, or ends it if it must not run any more.

    Raises:
        NotClaimable: it is over, or another worker's lease holds.
    """
    if job.over or job.leased(now):
        raise NotClaimable(job.job_id)
    if job.cancel_requested:
        return _over(job, "canceled", now)
    if job.attempts >= most_attempts:
        return _over(
            job,
            "failed",
            now,
            error=f"Given up after {job.attempts} attempts, because each time its worker died. "
            "The worker's log may say why. Less audio needs less memory.",
        )
    return replace(
        job,
        state="running",
        started_at=job.started_at or now,
        attempts=job.attempts + 1,
        token=job.token + 1,
        lease_owner=owner,
        lease_until=now + timedelta(seconds=lease_s),
    )


def renew(
    job: Job,
    token: int,
    now: datetime,
    *,
    lease_s: float,
    step: int,
    loss: float | None,
    eta_s: float | None,
) -> Job:
    """Extends the lease and stores the progress, or cancels the job on request. Raises LeaseLost."""
    _require_token(job, token)
    if job.cancel_requested:
        return _over(job, "canceled", now)
    return replace(
        job, lease_until=now + timedelta(seconds=lease_s), step=max(step, job.step), loss=loss, eta_s=eta_s
    )


def release(job: Job, token: int) -> Job:
    """Puts the job back into the queue because its worker shuts down. Not counted as an attempt.

    Raises LeaseLost.
    """
    _require_token(job, token)
    return replace(
        job, state="queued", attempts=job.attempts - 1, eta_s=None, queued_at=None, **_unleased(job)
    )


def succeed(job: Job, token: int, now: datetime, report: dict[str, Any], *, better: bool) -> Job:
    """Ends the job with a new version. Raises LeaseLost."""
    _require_token(job, token)
    succeeded = _over(job, "succeeded", now)
    activation = None
    if job.activate == "if_better":
        activation = (
            Activation(state="pending", reason="The new version is better and is being activated.")
            if better
            else Activation(state="declined", reason="The new version is not better. See the report.")
        )
    return replace(succeeded, step=job.steps, report=report, activation=activation)


def fail(job: Job, token: int, now: datetime, error: str) -> Job:
    """Ends the job without a new version. Raises LeaseLost."""
    _require_token(job, token)
    return _over(job, "failed", now, error=error)


def cancel(job: Job, now: datetime) -> Job:
    """Cancels the job at once if nobody works on it. Otherwise asks its worker to stop.

    Raises:
        Conflict: it is over.
    """
    if job.over:
        raise Conflict(f"Job {job.job_id!r} cannot be canceled: it is over ({job.state}).")
    if not job.leased(now):
        return _over(job, "canceled", now)
    return replace(job, cancel_requested=True)


def message_sent(job: Job, now: datetime) -> Job:
    """Notes that a message to the workers was sent."""
    return replace(job, queued_at=now)


def abandoned(job: Job, now: datetime, *, patience_s: float) -> bool:
    """Whether the job waits for a worker, and the last message about it must have been lost."""
    if job.over or job.leased(now):
        return False
    # Sent in the future: the clock was set back since.
    return job.queued_at is None or abs(now - job.queued_at) > timedelta(seconds=patience_s)


def expired(job: Job, now: datetime, *, wait_s: float) -> bool:
    """Whether the job is older than `wait_s`, and no worker has it."""
    return not job.over and not job.leased(now) and now - job.created_at > timedelta(seconds=wait_s)


def expire(job: Job, now: datetime, *, wait_s: float) -> Job:
    """Ends a job that no worker came for. Raises NotClaimable where a worker has it, or it is over."""
    if not expired(job, now, wait_s=wait_s):
        raise NotClaimable(job.job_id)
    return _over(
        job,
        "failed",
        now,
        error=f"No worker took the job within {wait_s:.0f} s (TWOFOLD_FINETUNE_KEEP_UPLOADS_S), and its "
        "recordings were deleted. Start a worker with 'python -m service worker', and send the job again.",
    )


def take_activation(job: Job, owner: str, now: datetime, *, lease_s: float) -> Job:
    """Gives the activation to `owner`. Raises NotClaimable if another process has it."""
    if not job.over or job.settled or job.leased(now):
        raise NotClaimable(job.job_id)
    return replace(job, lease_owner=owner, lease_until=now + timedelta(seconds=lease_s))


def settle(job: Job, activation: Activation) -> Job:
    """Stores the outcome of the activation."""
    return replace(job, activation=activation, **_unleased(job))


def _require_token(job: Job, token: int) -> None:
    if job.state != "running" or job.token != token:
        raise LeaseLost(job.job_id)


def _over(job: Job, state: Any, now: datetime, *, error: str | None = None) -> Job:
    return replace(job, state=state, finished_at=now, eta_s=None, error=error, **_unleased(job))


def _unleased(job: Job) -> dict[str, Any]:
    # A new token, so that later changes by the last owner are refused.
    return {"lease_owner": None, "lease_until": None, "token": job.token + 1}
