"""/diarize/{job_id}: diarizations of long recordings, in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from service.api.decision import line_warnings, stream_warnings
from service.api.deps import DirectoryDep, RegistryDep, RuntimeDep, TenantDep, active_bundle
from service.api.diarize import Diarized, name_voices
from service.api.problems import problem_responses
from service.errors import Conflict, InsufficientSpeech, NotFound
from service.listening import JobState, LongDiarization
from service.speakers import NewUtterance, VoiceIndex
from service.speakers.collections import Collections
from service.speakers.enrolment import embed_recordings
from service.tenants import Tenant

router = APIRouter(prefix="/diarize", tags=["diarization"])

_EVENT_S = 0.5  # how often a stream of events looks at the job


class LongProgress(BaseModel):
    """How far a diarization is."""

    job_id: str
    state: JobState
    progress: float | None = Field(description="Share that was listened to, 0 to 1. Null: not known.")
    at_s: float = Field(description="Sound that was listened to.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None = Field(description="Why it failed, and what to do.")


class LongDiarizeAnswer(LongProgress):
    """A diarization in the background."""

    diarization: Diarized | None = Field(
        description="Once succeeded. Names are those of the voices enrolled now. A voice that is unknown "
        "keeps its number."
    )


async def _existing(job_id: str, runtime: RuntimeDep, tenant: TenantDep) -> LongDiarization:
    return runtime.diarizations.get(job_id, tenant)


JobDep = Annotated[LongDiarization, Depends(_existing)]


@router.get("/{job_id}", responses=problem_responses(404, 503))
async def show_diarization(
    job: JobDep, directory: DirectoryDep, registry: RegistryDep, tenant: TenantDep
) -> LongDiarizeAnswer:
    """Shows a diarization in the background, with its answer once there is one."""
    progress = dict(_progress(job))
    if job.outcome is None:
        return LongDiarizeAnswer(**progress, diarization=None)
    index = await directory.index(active_bundle(registry))
    diarized = await asyncio.to_thread(_named, job, index, tenant, directory.collections)
    diarized.warnings += stream_warnings(job.outcome.line)
    diarized.warnings += line_warnings(directory, tenant, diarized.named, job.outcome.line)
    return LongDiarizeAnswer(**progress, diarization=diarized)


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=problem_responses(404))
async def follow_diarization(job: JobDep, runtime: RuntimeDep) -> AsyncIterator[ServerSentEvent]:
    """Its progress as server-sent events named `job`: now, and after every change. Ends with the job."""
    shown: LongProgress | None = None
    while True:
        progress = _progress(job)
        if progress != shown:
            shown = progress
            yield ServerSentEvent(event="job", data=progress)
        if job.over or runtime.closing.is_set():
            return
        await asyncio.sleep(_EVENT_S)


@router.delete("/{job_id}", status_code=204, responses=problem_responses(404))
async def end_diarization(job_id: str, runtime: RuntimeDep, tenant: TenantDep) -> None:
    """Ends the diarization, and forgets the recording and the answer."""
    runtime.diarizations.remove(job_id, tenant)


def _progress(job: LongDiarization) -> LongProgress:
    known = job.duration_s and min(1.0, round(job.at_s / job.duration_s, 4))
    return LongProgress(
        job_id=job.job_id,
        state=job.state,
        progress=1.0 if job.state == "succeeded" else known,
        at_s=round(job.at_s, 3),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        error=job.error,
    )


def _named(job: LongDiarization, index: VoiceIndex, tenant: Tenant, collections: Collections) -> Diarized:
    outcome = job.outcome
    assert outcome is not None
    warnings = []
    if outcome.model != index.model:
        index = VoiceIndex(outcome.model, outcome.scorer)
        warnings = ["Another model serves now, so that nobody is named. Send the recording again."]
    return name_voices(
        outcome.parts,
        index,
        strictness=replace(job.strictness, line=outcome.line),
        tenant=tenant.name,
        among=collections.among(tenant, job.collection),
        duration_s=round(job.at_s, 3),
        warnings=warnings,
        numbers=range(1, len(outcome.parts.voices) + 1),
    )


def utterance_of(
    job: LongDiarization,
    label: str,
    index: VoiceIndex,
    tenant: Tenant,
    collections: Collections,
    least_s: float,
) -> NewUtterance:
    """A voice of a diarization, to be enrolled. Blocks for milliseconds.

    Raises:
        Conflict: it has no answer, or another model serves now.
        NotFound: no voice has the label.
        InsufficientSpeech: the voice speaks for less than `least_s`.
    """
    outcome = job.outcome
    if outcome is None:
        raise Conflict(f"Diarization {job.job_id!r} has no answer: it is {job.state}.")
    if outcome.model != index.model:
        raise Conflict("Another model serves now: send the recording again.")
    segments = _named(job, index, tenant, collections).segments
    spoken = zip(segments, outcome.parts.segments, strict=True)
    numbers = {segment.voice for answer, segment in spoken if answer.label == label}
    if not numbers:
        raise NotFound(f"The diarization has no voice {label!r}. GET /diarize/{job.job_id} lists them.")
    voices = [outcome.parts.voices[number] for number in numbers]
    speech_s = sum(voice.speech_s for voice in voices)
    if speech_s < least_s:
        raise InsufficientSpeech(speech_s=speech_s, required_s=least_s)
    crops = np.concatenate([outcome.crops[number] for number in numbers])
    (embedding,) = embed_recordings([crops], index.scorer)
    return NewUtterance(round(speech_s, 3), None, index.model, embedding)
