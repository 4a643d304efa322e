"""The record of a fine-tuning job, which holds all there is to know about it."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

MADE_BY_JOB = re.compile(r"ft-\d{8}-\d{6}-[0-9a-f]{6}(-.+)?")  # versions, as `new_version` names them
State = Literal["queued", "running", "succeeded", "failed", "canceled"]
Activate = Literal["never", "if_better"]
#: A lease that seems to run for longer was given before the clock was set back.
LONGEST_LEASE = timedelta(hours=1)


@dataclass(frozen=True)
class JobFile:
    """One recording of a job."""

    name: str  # beneath the job's audio folder
    speaker_id: str  # "" where unknown: only the report uses it


@dataclass(frozen=True, kw_only=True)
class Activation:
    """Whether the new version took over, if the caller asked for that."""

    state: Literal["pending", "active", "declined", "failed"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. `service.jobs.lifecycle` makes every change to it."""

    job_id: str  # sorts by creation time
    client: str  # who started it, as a digest
    tenant: str = ""  # whose it is; empty: the operator's
    created_at: datetime

    # The request
    name: str  # of the model
    parent: str  # version that is fine-tuned
    version: str  # that the job makes
    steps: int
    same_voice_seconds: float
    activate: Activate
    files: tuple[JobFile, ...]
    size_bytes: int  # of all the recordings

    # Progress
    state: State = "queued"
    step: int = 0
    loss: float | None = None
    eta_s: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    report: dict[str, Any] | None = None
    error: str | None = None
    activation: Activation | None = None

    # The worker
    attempts: int = 0
    token: int = 0  # fencing: each claim raises it, and changes with an older token are refused
    lease_owner: str | None = None
    lease_until: datetime | None = None
    queued_at: datetime | None = None  # when a message was sent last
    cancel_requested: bool = False

    readable: bool = True  # False: the record cannot be read, and all but the id is made up
    damaged: bool = False  # True: no release can read it, so that no worker can have the job

    @property
    def over(self) -> bool:
        """Whether it has reached its final state."""
        return self.state not in ("queued", "running")

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do: it is over, and no activation is pending."""
        return self.over and (self.activation is None or self.activation.state != "pending")

    def leased(self, now: datetime) -> bool:
        """Whether a worker's lease holds."""
        return self.lease_until is not None and now < self.lease_until <= now + LONGEST_LEASE


@dataclass(frozen=True)
class JobPage:
    """One page of a listing, newest first."""

    jobs: tuple[Job, ...]
    next_before: str | None  # `before` of the next page; None on the last page


JOB = TypeAdapter(Job)  # to JSON and back


def read_job(job_id: str, stored: str | bytes) -> Job:
    """The job of a stored record. One that cannot be read is shown as failed, so that all else goes on."""
    try:
        return JOB.validate_json(stored)
    except ValidationError:
        created_at = _created_at(job_id)
        return Job(
            job_id=job_id,
            client="",
            created_at=created_at,
            name="unknown",
            parent="unknown",
            version="unknown",
            steps=1,
            same_voice_seconds=0,
            activate="never",
            files=(),
            size_bytes=0,
            state="failed",
            finished_at=created_at,
            error="The record of this job cannot be read: it is damaged, or another release wrote it.",
            readable=False,
            damaged=not _is_json(stored),
        )


def speaker_text(speaker_id: str) -> str:
    """How a record names a speaker: this text is nowhere else in it."""
    return f'"speaker_id":{json.dumps(speaker_id)}'


NOBODY = speaker_text("")


def new_job_id() -> str:
    """32 hexadecimal digits that nobody can guess. Later ids sort after earlier ones."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def _is_json(stored: str | bytes) -> bool:
    try:
        json.loads(stored)
    except ValueError:
        return False
    return True


def _created_at(job_id: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(job_id[:12], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def new_version(job_id: str, now: datetime, tenant: str = "") -> str:
    """The version that a job makes, such as `ft-20261121-083015-7f3a52`: its time, its job and its tenant."""
    version = f"ft-{now:%Y%m%d-%H%M%S}-{job_id[-6:]}"
    return f"{version}-{tenant}" if tenant else version
