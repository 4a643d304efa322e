"""Fine-tuning jobs: what one needs, how many wait, when one is given up, and what stays of the past."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Finetuning(BaseModel):
    """Fields of `Settings`."""

    min_speech_finetune_s: float = Field(
        default=5.0,
        ge=0,
        description="Least speech that a fine-tuning job needs, in seconds, all recordings together.",
    )
    same_voice_seconds: float = Field(
        default=10.0,
        ge=0,
        description="In fine-tuning, two crops of a recording count as one voice if they start at most this "
        "far apart, in seconds; 0: always. Keep it small for conversations.",
    )
    finetune_queue: int = Field(
        default=4,
        ge=1,
        description="Most unfinished fine-tuning jobs of one client. Further jobs get status 429.",
    )
    finetune_disk_bytes: int = Field(
        default=2 * 2**30,
        ge=1024,
        description="Most space for the recordings of all unfinished jobs, in bytes.",
    )
    finetune_timeout_s: int = Field(
        default=6 * 3600, ge=1, description="Longest time of one attempt at a job, in seconds."
    )
    finetune_lease_s: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Another worker takes a job over when its worker has been silent this long, in seconds.",
    )
    finetune_attempts: int = Field(
        default=3, ge=1, description="A job fails when its worker has died this many times."
    )
    finetune_keep_uploads_s: int = Field(
        default=7 * 24 * 3600,
        ge=1,
        description="Longest wait of a job for a worker, in seconds. Then it fails, and its recordings are "
        "deleted.",
    )
    finetune_keep_jobs: int = Field(
        default=1000,
        ge=1,
        description="Most finished jobs on record, of all tenants together. Who has most loses the oldest.",
    )
    finetune_keep_versions: int = Field(
        default=50,
        ge=1,
        description="Most fine-tuned versions, of all tenants together. Who has most loses the oldest. What "
        "serves stays, with its parent, and so does what unfinished jobs or enrolled voices need.",
    )
    finetune_threads: int = Field(
        default=0, ge=0, description="Threads of a worker. 0: what the container's CPU quota allows."
    )
