"""What is answered about a fine-tuning job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from service.jobs import Job, JobDesk
from service.jobs.records import State


class FinetuneAnswer(BaseModel):
    """The stored job. `Location` says where to watch it."""

    job_id: str
    state: State


class ActivationAnswer(BaseModel):
    """What became of `activate: if_better`."""

    state: str = Field(description="pending, active, declined or failed.")
    reason: str


class JobAnswer(BaseModel):
    """A job as it is now."""

    job_id: str
    state: State
    step: int
    steps: int
    progress: float = Field(
        description="Share of the steps that are done, 0 to 1. Without steps: 1 at the end."
    )
    loss: float | None
    eta_s: float | None = Field(description="Estimated time to the last step, in seconds.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    parent: str = Field(description="The model that is fine-tuned.")
    model: str | None = Field(description="The new model, once succeeded.")
    version: str | None = Field(description="Its version, for POST /models/{version}/activate.")
    version_removed: bool = Field(
        description="Whether that version was removed since: by DELETE /models/{version}, or as one of more "
        "than TWOFOLD_FINETUNE_KEEP_VERSIONS."
    )
    report: dict[str, Any] | None = Field(description="Both models compared, once succeeded.")
    activation: ActivationAnswer | None = Field(description="With `activate=if_better`, once succeeded.")
    error: str | None = Field(description="Why it failed, and what to do.")


class EndAnswer(BaseModel):
    """Why a stream of events ends although the job goes on."""

    code: str = Field(description="`stopping`, or the code of an error.")
    detail: str


class JobsAnswer(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[JobAnswer]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


async def job_answers(jobs: JobDesk, shown: Sequence[Job]) -> list[JobAnswer]:
    """What is answered about these jobs; it looks whether their versions are still there."""
    lost = await asyncio.to_thread(jobs.lost_versions, shown)
    return [job_answer(job, version_removed=job.job_id in lost) for job in shown]


def job_answer(job: Job, *, version_removed: bool) -> JobAnswer:
    """What is answered about one job."""
    done = job.state == "succeeded"
    return JobAnswer(
        job_id=job.job_id,
        state=job.state,
        step=job.step,
        steps=job.steps,
        progress=job.step / job.steps if job.steps else float(done),
        loss=job.loss,
        eta_s=job.eta_s,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        parent=f"{job.name}/{job.parent}",
        model=f"{job.name}/{job.version}" if done else None,
        version=job.version if done else None,
        version_removed=version_removed,
        report=job.report,
        activation=ActivationAnswer.model_validate(job.activation, from_attributes=True)
        if job.activation
        else None,
        error=job.error,
    )
