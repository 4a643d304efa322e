"""/enrolments: many people from one archive, enrolled in the background."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message

from service.api.collections import MembershipParams
from service.api.consent import ConsentParams
from service.api.deps import Audit, AuditDep, ClientDep, RuntimeDep, SettingsDep, TenantDep
from service.api.enrolment import AddParams, EnrolledAnswer, EnrolParams, add_audio, enrol_recordings
from service.api.pipeline import Pipeline
from service.api.problems import problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.audio.decoder import Upload
from service.bulk import BulkJob, JobState, Outcome, RecordingOutcome, Work, open_archive, patiently
from service.errors import BadRequest, Conflict, NotFound, TooLarge, TwofoldError
from service.runtime import Runtime
from service.speakers.archive import SPEAKER_ID
from service.tenants import Tenant

router = APIRouter(prefix="/enrolments", tags=["speakers"])

ARCHIVES = ("application/zip", "application/x-tar", "application/gzip")
_UNPACKED = 4  # times TWOFOLD_MAX_BYTES; recordings hardly become smaller
_FILES_AT_ONCE = 16  # of a person
_EVENT_S = 0.5  # how often a stream of events looks at the job


class BulkParams(MembershipParams, ConsentParams):
    """Parameters of a bulk enrolment. They hold for everybody in the archive."""

    retain_audio: bool = Field(False, description="Keep the recordings, as POST /speakers does.")
    strict: bool = Field(False, description="Refuse recordings that would have `quality.issues`.")


class BulkStarted(BaseModel):
    """The job that was started. `Location` says where to watch it."""

    job_id: str
    state: JobState


class BulkProgress(BaseModel):
    """How far a bulk enrolment is."""

    job_id: str
    state: JobState
    progress: float = Field(description="Share of the people who are done, 0 to 1.")
    enrolled: int = Field(description="Recordings that are part of an enrolment now.")
    refused: int = Field(description="Recordings that are not, and `people` says why.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None = Field(description="Why the job ended before all were done, and what to do.")


class RecordingReport(BaseModel):
    """What became of one recording."""

    model_config = ConfigDict(from_attributes=True)

    file: str = Field(description="Its path in the archive.")
    outcome: Outcome = Field(
        description="`unchanged`: the speaker was enrolled before, or has the same recording already."
    )
    reason: str | None = Field(description="Why it was refused, or nothing changed.")
    feedback: str | None = Field(description="As POST /speakers answers it.")


class PersonReport(BaseModel):
    """What became of one person."""

    model_config = ConfigDict(from_attributes=True)

    speaker_id: str | None = Field(description="Null, without recordings: erased since the archive was sent.")
    recordings: list[RecordingReport]


class BulkAnswer(BulkProgress):
    """A bulk enrolment with what became of each recording so far."""

    people: list[PersonReport]


@router.post(
    "",
    status_code=202,
    responses=problem_responses(400, 413, 415, 422, 429, 503),
    openapi_extra=audio_body(
        BulkParams,
        file_field="archive",
        several=False,
        formats="A zip, tar or tar.gz: a folder of recordings for each person, or a file for each",
        types=ARCHIVES,
    ),
)
async def enrol_archive(
    body: Annotated[AudioRequest[BulkParams], Depends(audio_request(BulkParams, file_field="archive"))],
    runtime: RuntimeDep,
    settings: SettingsDep,
    client: ClientDep,
    tenant: TenantDep,
    audit: AuditDep,
    request: Request,
    response: Response,
) -> BulkStarted:
    """Enrols everybody of an archive in the background: `ann/1.wav` is of ann, and so is `ann.wav`.

    It can be sent again: whoever is enrolled stays as they are. Who is erased while the job runs is not
    enrolled any more. The archive is in memory alone: a restart ends the job, and its report says so.
    """
    if len(body.files) != 1:
        raise BadRequest(f"Send one archive, not {len(body.files)}.")
    archive = await asyncio.to_thread(
        open_archive, body.files[0].data, max_bytes=_UNPACKED * settings.max_bytes
    )
    job = await runtime.bulk.submit(
        Work(
            archive=archive,
            enrol=partial(_enrolled, runtime, body.params, tenant, client, audit),
            erase=runtime.eraser.erase,
            require_budget=partial(runtime.audio.require, client),
            client=client,
            tenant=tenant,
        )
    )
    audit("enrol_archive", job_id=job.job_id, people=len(archive.people), collection=body.params.collection)
    response.headers["Location"] = f"{request.scope['root_path']}/enrolments/{job.job_id}"
    return BulkStarted(job_id=job.job_id, state=job.state)


async def _existing(job_id: str, runtime: RuntimeDep, tenant: TenantDep) -> BulkJob:
    return await runtime.bulk.get(job_id, tenant)


JobDep = Annotated[BulkJob, Depends(_existing)]


@router.get("/{job_id}", responses=problem_responses(404, 503))
async def show_enrolments(job: JobDep) -> BulkAnswer:
    """Shows a bulk enrolment: how far it is, and what became of each recording."""
    people = [PersonReport.model_validate(person) for person in job.people]
    return BulkAnswer(**dict(_progress(job)), people=people)


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=problem_responses(404, 503))
async def follow_enrolments(
    job: JobDep, runtime: RuntimeDep, tenant: TenantDep
) -> AsyncIterator[ServerSentEvent]:
    """Its progress as server-sent events named `job`: now, and after every change. Ends with the job."""
    shown: BulkProgress | None = None
    while True:
        progress = _progress(job)
        if progress != shown:
            shown = progress
            yield ServerSentEvent(event="job", data=progress)
        if job.over or runtime.closing.is_set():
            return
        await asyncio.sleep(_EVENT_S)
        try:
            job = await runtime.bulk.get(job.job_id, tenant)
        except TwofoldError:  # removed, or the store is away
            return


@router.delete("/{job_id}", status_code=204, responses=problem_responses(404, 503))
async def end_enrolments(job_id: str, runtime: RuntimeDep, tenant: TenantDep) -> None:
    """Ends a bulk enrolment, and forgets archive and report. Whoever is enrolled already stays."""
    await runtime.bulk.remove(job_id, tenant)


def _progress(job: BulkJob) -> BulkProgress:
    outcomes = [recording.outcome for recording in job.recordings]
    done = sum(all(r.outcome != "waiting" for r in person.recordings) for person in job.people)
    return BulkProgress(
        job_id=job.job_id,
        state=job.state,
        progress=round(done / len(job.people), 4),
        enrolled=outcomes.count("enrolled"),
        refused=outcomes.count("refused"),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        error=job.error,
    )


async def _enrolled(
    runtime: Runtime,
    params: BulkParams,
    tenant: Tenant,
    client: str,
    audit: Audit,
    speaker_id: str,
    files: Sequence[tuple[str, bytes]],
) -> tuple[RecordingOutcome, ...]:
    """Enrols one person, as POST /speakers and POST /speakers/{speaker_id}/audio would."""
    if not re.fullmatch(SPEAKER_ID, speaker_id):
        return _all(files, "refused", f"{speaker_id!r} is no speaker id: it has to match {SPEAKER_ID}.")
    enrolment = EnrolParams(speaker_id=speaker_id, **dict(params))
    addition = AddParams(retain_audio=params.retain_audio, strict=params.strict)
    outcomes: list[RecordingOutcome] = []
    left, at_once, known = list(files), _FILES_AT_ONCE, False

    async def send(uploads: list[Upload]) -> EnrolledAnswer:
        with runtime.registry.lease() as engine:
            charge = partial(runtime.audio.charge, client)
            pipeline = Pipeline(engine, runtime.decoder, _stays, charge=charge)
            rest = (pipeline, runtime.directory, runtime.settings, tenant, audit)
            if known:
                return await add_audio(speaker_id, AudioRequest(uploads, addition), *rest)
            return await enrol_recordings(uploads, enrolment, *rest)

    while left:
        group = left[:at_once]
        try:
            answer = await patiently(partial(send, [Upload(path, data) for path, data in group]))
        except Conflict as error:  # enrolled before
            return (*outcomes, *_all(left, "unchanged", error.detail))
        except NotFound as error:  # erased meanwhile
            return (*outcomes, *_all(left, "refused", error.detail))
        except TwofoldError as error:
            if isinstance(index := error.extra.get("file_index"), int):
                outcomes += _all([left.pop(index)], "refused", error.detail)
            elif isinstance(error, TooLarge) and len(group) > 1:  # together they are too long
                at_once = len(group) // 2
            else:
                outcomes += _all(group, "refused", error.detail)
                del left[: len(group)]
        else:
            known = True
            outcomes += map(_outcome, group, answer.feedback)
            del left[: len(group)]
    return tuple(outcomes)


def _outcome(file: tuple[str, bytes], feedback: str) -> RecordingOutcome:
    if feedback == "same_recording":
        reason = "The speaker has this recording already."
        return RecordingOutcome(file=file[0], outcome="unchanged", reason=reason, feedback=feedback)
    return RecordingOutcome(file=file[0], outcome="enrolled", feedback=feedback)


def _all(files: Sequence[tuple[str, bytes]], outcome: Outcome, reason: str) -> tuple[RecordingOutcome, ...]:
    return tuple(RecordingOutcome(file=path, outcome=outcome, reason=reason) for path, _ in files)


async def _stays() -> Message:
    """For a pipeline whose client is not watched: it may have left long ago."""
    return await asyncio.Future()
