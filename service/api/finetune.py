"""/finetune: label-free fine-tuning as jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, BeforeValidator, Field

from bundle.voice import VoiceBundle
from service.admission import Place
from service.api.deps import (
    AdmissionDep,
    AuditDep,
    ClientDep,
    DecoderDep,
    DirectoryDep,
    JobsDep,
    RegistryDep,
    RuntimeDep,
    SettingsDep,
    TenantDep,
    active_bundle,
    stored_id,
)
from service.api.finetune_answers import (
    EndAnswer,
    FinetuneAnswer,
    JobAnswer,
    JobsAnswer,
    job_answer,
    job_answers,
)
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.audio import encode_flac
from service.audio.decoder import AudioDecoder, Upload
from service.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InsufficientSpeech,
    NotFound,
    StoreUnavailable,
    TwofoldError,
)
from service.inference import HOW_TO_TRAIN_GAAE, ModelRegistry
from service.jobs import Job, NewFile
from service.jobs.records import Activate
from service.settings import Settings
from service.speakers import SpeakerDirectory
from service.tenants import Tenant

router = APIRouter(prefix="/finetune", tags=["fine-tuning"])

MAX_STEPS = 5000
Kind = Literal["autodecompose", "barlow_twins", "gaae"]
STEPPED_KIND = "autodecompose"  # whose network can be trained further
_EVENT_S = 0.5  # how often a stream of events reads the job
_OUTAGE_S = 60.0  # how long a stream goes on while the store cannot be read


def _split(value: object) -> object:
    """The values of a repeated field, each split at its commas: `a,b` and `c` give a, b and c."""
    if not isinstance(value, list):
        return value
    return [part.strip() for text in value for part in str(text).split(",") if part.strip()]


class FinetuneParams(BaseModel):
    """Parameters of /finetune."""

    speaker_ids: Annotated[list[str], BeforeValidator(_split)] = Field(
        default_factory=list,
        max_length=1000,
        description="Enrolled speakers whose retained audio is used too; repeatable, or with commas.",
    )
    kind: Kind | None = Field(
        None,
        description="The kind of model. Default: that of the model that serves, the only one that can be "
        "fine-tuned here. With `gaae`, the 409 says how to train a generator further.",
    )
    steps: int = Field(
        0,
        ge=0,
        le=MAX_STEPS,
        description="Training steps before the adaptation. They need a worker with torch.",
    )
    activate: Activate = Field(
        "never", description="`if_better`: the new version serves if the report finds it better."
    )
    same_voice_seconds: float | None = Field(
        None,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="Two crops of a recording count as one voice if they start at most this many seconds "
        "apart. 0: always. Default: TWOFOLD_SAME_VOICE_SECONDS.",
    )


@router.post(
    "",
    status_code=202,
    responses=problem_responses(404, 409, *AUDIO_STATUSES),
    openapi_extra=audio_body(FinetuneParams, files_required=False),
)
async def start_finetuning(
    body: Annotated[
        AudioRequest[FinetuneParams], Depends(audio_request(FinetuneParams, files_required=False))
    ],
    jobs: JobsDep,
    registry: RegistryDep,
    directory: DirectoryDep,
    decoder: DecoderDep,
    settings: SettingsDep,
    client: ClientDep,
    tenant: TenantDep,
    audit: AuditDep,
    place: AdmissionDep,
    request: Request,
    response: Response,
) -> FinetuneAnswer:
    """Starts a job that adapts the active model to your recordings, without labels.

    The job makes a new version of the model. However it ends, its recordings are deleted then.
    """
    params = body.params
    if params.kind:
        _require_kind(params.kind, registry)
    jobs.require_worker(params.steps)
    if params.activate != "never" and not tenant.is_operator:
        raise Forbidden(
            "A version serves all tenants, and the operator alone activates it: use activate=never."
        )
    parent = _parent(registry, params.steps)
    if not body.files and not params.speaker_ids:
        raise BadRequest("There is no audio: add files (-F audio=@recording.wav) or speaker_ids.")
    retained = await _retained(directory, params.speaker_ids, tenant)
    job = await jobs.submit(
        [*await _recordings(body.files, retained, decoder, settings, place), *retained],
        client=client,
        tenant=tenant,
        name=parent.name,
        parent=parent.version,
        steps=params.steps,
        same_voice_seconds=(
            settings.same_voice_seconds if params.same_voice_seconds is None else params.same_voice_seconds
        ),
        activate=params.activate,
    )
    try:
        for speaker_id in params.speaker_ids:
            await directory.threads.run(directory.gallery.get, stored_id(tenant, speaker_id))
    except NotFound:  # erased while the job was being stored
        await jobs.forget(stored_id(tenant, speaker_id))
        raise
    audit("finetune", job_id=job.job_id, speaker_ids=params.speaker_ids)
    response.headers["Location"] = f"{request.scope['root_path']}/finetune/{job.job_id}"
    return FinetuneAnswer(job_id=job.job_id, state=job.state)


@router.get("", responses=problem_responses(503))
async def list_jobs(
    jobs: JobsDep,
    tenant: TenantDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> JobsAnswer:
    """Lists jobs, newest first."""
    page = await jobs.page(tenant, limit=limit, before=cursor)
    return JobsAnswer(jobs=await job_answers(jobs, page.jobs), next_cursor=page.next_before)


@router.get("/{job_id}", responses=problem_responses(404, 503))
async def show_job(job_id: str, jobs: JobsDep, tenant: TenantDep) -> JobAnswer:
    """Shows one job."""
    (answer,) = await job_answers(jobs, [await jobs.get(job_id, tenant)])
    return answer


async def _existing(job_id: str, jobs: JobsDep, tenant: TenantDep) -> Job:
    return await jobs.get(job_id, tenant)


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=problem_responses(404, 503))
async def follow_job(
    job: Annotated[Job, Depends(_existing)], jobs: JobsDep, runtime: RuntimeDep, tenant: TenantDep
) -> AsyncIterator[ServerSentEvent]:
    """The job as server-sent events named `job`: now, and after every change. Ends with the job.

    The stream goes on while the store is away, for a minute. Where it ends before the job, its last event is
    named `end` and says why: call again then.
    """
    shown: JobAnswer | None = None
    read_at = time.monotonic()
    while True:
        (answer,) = await job_answers(jobs, [job])
        if answer != shown:
            shown = answer
            yield ServerSentEvent(event="job", data=answer)
        if job.settled:
            return
        if runtime.closing.is_set():
            detail = "The service is being stopped, but the job continues."
            yield ServerSentEvent(event="end", data=EndAnswer(code="stopping", detail=detail))
            return
        await asyncio.sleep(_EVENT_S)
        try:
            job = await jobs.get(job.job_id, tenant)
            read_at = time.monotonic()
        except TwofoldError as error:
            if not isinstance(error, StoreUnavailable) or time.monotonic() - read_at > _OUTAGE_S:
                yield ServerSentEvent(event="end", data=EndAnswer(code=error.code, detail=error.detail))
                return


@router.get(
    "/{job_id}/report.png",
    response_class=Response,
    responses=problem_responses(404, 503) | {200: {"content": {"image/png": {}}}},
)
async def show_report(job_id: str, jobs: JobsDep, tenant: TenantDep) -> Response:
    """Two maps of the job's recordings, before and after, once it has succeeded."""
    job = await jobs.get(job_id, tenant)
    png = await jobs.threads.run(jobs.picture, job)
    return Response(png, media_type="image/png")


@router.delete("/{job_id}", status_code=202, responses=problem_responses(404, 409, 503))
async def cancel_job(job_id: str, jobs: JobsDep, tenant: TenantDep) -> JobAnswer:
    """Cancels a job. A running job ends within two seconds. Its recordings are deleted."""
    await jobs.get(job_id, tenant)
    return job_answer(await jobs.cancel(job_id), version_removed=False)


def _require_kind(kind: Kind, registry: ModelRegistry) -> None:
    """Raises Conflict for a kind that does not serve."""
    if kind == "gaae":
        raise Conflict(HOW_TO_TRAIN_GAAE)
    active = active_bundle(registry)
    if kind != active.kind:
        raise Conflict(
            f"{active.id} serves, of kind {active.kind}. Activate a model of kind {kind} first: GET /models "
            "lists them."
        )


def _parent(registry: ModelRegistry, steps: int) -> VoiceBundle:
    bundle = active_bundle(registry)
    if steps and (bundle.kind != STEPPED_KIND or "weights" not in bundle.files):
        raise Conflict(
            f"{bundle.id} takes no training steps: only versions of kind {STEPPED_KIND} with "
            "trainable weights do. With steps=0 it is adapted as it is; or activate another version."
        )
    return bundle


async def _recordings(
    files: list[Upload], retained: list[NewFile], decoder: AudioDecoder, settings: Settings, place: Place
) -> list[NewFile]:
    """Uploads as FLAC files. Each is decoded and checked first, as in every other call."""
    prepared = await decoder.prepare(files, place.hold)
    speech_s = sum(recording.crops.speech_s for recording in prepared)
    if not retained and speech_s < settings.min_speech_finetune_s:
        raise InsufficientSpeech(speech_s=speech_s, required_s=settings.min_speech_finetune_s)
    return [
        NewFile("", await asyncio.to_thread(encode_flac, recording.decoded.samples)) for recording in prepared
    ]


async def _retained(directory: SpeakerDirectory, speaker_ids: list[str], tenant: Tenant) -> list[NewFile]:
    files: list[NewFile] = []
    for speaker_id in dict.fromkeys(speaker_ids):
        stored = stored_id(tenant, speaker_id)
        speaker = await directory.threads.run(directory.gallery.get, stored)
        recordings = [
            await directory.threads.run(directory.gallery.audio, utterance.utterance_id)
            for utterance in speaker.utterances
            if utterance.retained
        ]
        speaker_files = [NewFile(stored, audio) for audio in recordings if audio is not None]
        if not speaker_files:
            raise Conflict(
                f"No audio of speaker {speaker_id!r} is retained. Add audio with retain_audio=true, "
                "or send files."
            )
        files += speaker_files
    return files
