"""Every change that a job may undergo, as functions from record to record. Stores apply them atomically.

queued ─ claim → running ─ succeed, fail → succeeded, failed
   ↑                │└──── cancel, renew → canceled
   └─ release ──────┘
A running job whose lease has run out may be claimed by another worker: its token counts on, and whatever the
first one still has to say is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from service.errors import Conflict
from service.jobs.records import Activation, Job


class LeaseLost(Exception):
    """The job is another worker's now, or over: stop, and leave it alone."""


class NotClaimable(Exception):
    """The job is in good hands or over: a message about it came twice."""


def claim(job: Job, owner: str, now: datetime, *, lease_s: float, most_attempts: int) -> Job:
    """The job in the hands of `owner`, or ended where it should not be run any more.

    Raises:
        NotClaimable: it is over, or somebody's lease holds.
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
            error=f"Given up after {job.attempts} attempts: each time its worker died. "
            "Its log may say why; less audio needs less memory.",
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
    """The lease held on, and how far the work is; or canceled, as was asked for. Raises LeaseLost."""
    _require_token(job, token)
    if job.cancel_requested:
        return _over(job, "canceled", now)
    return replace(
        job, lease_until=now + timedelta(seconds=lease_s), step=max(step, job.step), loss=loss, eta_s=eta_s
    )


def release(job: Job, token: int) -> Job:
    """Back in the queue, since its worker shuts down: not an attempt. Raises LeaseLost."""
    _require_token(job, token)
    return replace(
        job, state="queued", attempts=job.attempts - 1, eta_s=None, queued_at=None, **_unleased(job)
    )


def succeed(job: Job, token: int, now: datetime, report: dict[str, Any], *, better: bool) -> Job:
    """Over, with a new version. Raises LeaseLost."""
    _require_token(job, token)
    succeeded = _over(job, "succeeded", now)
    activation = None
    if job.activate == "if_better":
        activation = (
            Activation(state="pending", reason="The new version is better; it is being activated.")
            if better
            else Activation(state="declined", reason="The new version is not better: see the report.")
        )
    return replace(succeeded, step=job.steps, report=report, activation=activation)


def fail(job: Job, token: int, now: datetime, error: str) -> Job:
    """Over, without a new version. Raises LeaseLost."""
    _require_token(job, token)
    return _over(job, "failed", now, error=error)


def cancel(job: Job, now: datetime) -> Job:
    """Canceled at once where nobody works on it, else its worker is told.

    Raises:
        Conflict: it is over.
    """
    if job.over:
        raise Conflict(f"Job {job.job_id!r} is over ({job.state}): it cannot be canceled.")
    if not job.leased(now):
        return _over(job, "canceled", now)
    return replace(job, cancel_requested=True)


def message_sent(job: Job, now: datetime) -> Job:
    """A worker will hear of it, should the message not be lost."""
    return replace(job, queued_at=now)


def abandoned(job: Job, now: datetime, *, patience_s: float) -> bool:
    """Whether it waits for a worker, and no message about it can be under way to an idle one."""
    if job.over or job.leased(now):
        return False
    return job.queued_at is None or now - job.queued_at > timedelta(seconds=patience_s)


def take_activation(job: Job, owner: str, now: datetime, *, lease_s: float) -> Job:
    """The activation in the hands of `owner`. Raises NotClaimable when another process has it."""
    if not job.over or job.settled or job.leased(now):
        raise NotClaimable(job.job_id)
    return replace(job, lease_owner=owner, lease_until=now + timedelta(seconds=lease_s))


def settle(job: Job, activation: Activation) -> Job:
    """What became of the activation."""
    return replace(job, activation=activation, **_unleased(job))


def _require_token(job: Job, token: int) -> None:
    if job.state != "running" or job.token != token:
        raise LeaseLost(job.job_id)


def _over(job: Job, state: Any, now: datetime, *, error: str | None = None) -> Job:
    return replace(job, state=state, finished_at=now, eta_s=None, error=error, **_unleased(job))


def _unleased(job: Job) -> dict[str, Any]:
    # The token counts on as well: what the last owner still has to say is refused.
    return {"lease_owner": None, "lease_until": None, "token": job.token + 1}
