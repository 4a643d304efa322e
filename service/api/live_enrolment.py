"""WS /speakers/{speaker_id}/enrol: an enrolment while one speaks."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, WebSocket
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.types import Message

from service.api.collections import MembershipParams
from service.api.consent import ConsentParams
from service.api.deps import Audit, RuntimeDep, stored_id
from service.api.enrolment import AddParams, EnrolledAnswer, EnrolParams, add_audio, enrol_recordings
from service.api.pipeline import Pipeline
from service.api.sockets import (
    LiveStream,
    StreamAuditDep,
    StreamClientDep,
    StreamParams,
    StreamTenantDep,
    accepted,
    ready_event,
    stream_params,
)
from service.api.uploads import AudioRequest
from service.audio import encode_wav
from service.audio.decoder import Upload
from service.errors import BadRequest, Conflict, InsufficientSpeech, NotFound
from service.listening import ADVICE, FeedbackKind, LiveEnrolment, Progress, embed_patiently
from service.runtime import Runtime
from service.speakers.quality import AMPLE_SPEECH_S
from service.tenants import Tenant

router = APIRouter(prefix="/speakers")

_MOST_S = 120.0  # of sound, which is kept until the enrolment is complete


class LiveEnrolParams(StreamParams, MembershipParams, ConsentParams):
    """Parameters of a live enrolment."""

    add: bool = Field(False, description="Add to an enrolled voice.")
    name: str | None = Field(None, max_length=200, description="Shown in answers; not with `add`.")
    retain_audio: bool = Field(False, description="Keep the recording, as POST /speakers does.")
    strict: bool = Field(False, description="Refuse a recording that has `quality.issues`.")
    wanted_s: float = Field(
        AMPLE_SPEECH_S, ge=1, le=60, description="Speech at which the enrolment is complete."
    )

    @model_validator(mode="after")
    def _nothing_new_is_added(self) -> Self:
        if self.add and (self.name is not None or self.collection or self.consent is not None):
            raise ValueError("name, collection and consent are of a new voice: leave them out with add")
        return self


class FeedbackAnswer(BaseModel):
    """What to do better now."""

    kind: FeedbackKind
    advice: str


class ProgressEvent(BaseModel):
    """How far the enrolment is."""

    event: Literal["progress"] = "progress"
    at_s: float = Field(description="Sound of the stream so far.")
    speech: bool = Field(description="Whether somebody spoke in the last half second.")
    speech_s: float = Field(description="Net speech so far.")
    percent: int = Field(description="Of `wanted_s`. At 100 the voice is enrolled, and the stream ends.")
    remaining_speech_s: float
    level_dbfs: float | None = Field(description="RMS of the loud parts; 0 is full scale. Null: silence.")
    clipped: float = Field(description="Share of the last samples at full scale, 0 to 1.")
    feedback: list[FeedbackAnswer]


class EnrolledEvent(BaseModel):
    """The last event: the voice is stored."""

    event: Literal["enrolled"] = "enrolled"
    speaker: EnrolledAnswer


@router.websocket("/{speaker_id}/enrol")
async def enrol_live(
    websocket: WebSocket,
    speaker_id: str,
    params: Annotated[LiveEnrolParams, Depends(stream_params(LiveEnrolParams))],
    runtime: RuntimeDep,
    tenant: StreamTenantDep,
    client: StreamClientDep,
    audit: StreamAuditDep,
) -> None:
    """Says how far an enrolment is, and stores it when it is complete or its end is said."""
    enrolment = _enrolment(speaker_id, params)
    await _require_place(runtime, tenant, speaker_id, add=params.add)
    runtime.audio.require(client)
    with runtime.listening.admit(client), runtime.registry.lease() as engine:
        index = await runtime.directory.index(engine.bundle)
        live = LiveEnrolment(
            runtime.listening.detector, params.codec, params.sample_rate_hz, index.scorer, params.wanted_s
        )
        async with accepted(websocket, runtime.settings) as stream:
            await stream.send(ready_event(index, params, max_seconds=_MOST_S))
            pipeline = Pipeline(engine, runtime.decoder, _stays, charge=partial(runtime.audio.charge, client))
            await _follow(stream, live, pipeline, runtime, params.wanted_s)
            if stream.idle:
                raise BadRequest(
                    "No sound came, and no end was said: nothing was stored. Open the stream again."
                )
            recording = Upload(None, await asyncio.to_thread(encode_wav, live.samples))
            answer = await _stored(recording, speaker_id, enrolment, pipeline, runtime, tenant, audit)
            await stream.send(EnrolledEvent(speaker=answer))


def _enrolment(speaker_id: str, params: LiveEnrolParams) -> EnrolParams | AddParams:
    """The parameters of the same enrolment over HTTP. Raises RequestValidationError for what is no id."""
    if params.add:
        return AddParams(retain_audio=params.retain_audio, strict=params.strict)
    given = params.model_dump(include=set(EnrolParams.model_fields))
    try:
        return EnrolParams.model_validate({"speaker_id": speaker_id} | given)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


async def _require_place(runtime: Runtime, tenant: Tenant, speaker_id: str, *, add: bool) -> None:
    """Raises NotFound or Conflict before anybody speaks in vain."""
    directory = runtime.directory
    try:
        await directory.threads.run(directory.gallery.get, stored_id(tenant, speaker_id))
    except NotFound:
        if add:
            raise
        return
    if not add:
        raise Conflict(f"Speaker {speaker_id!r} is enrolled already. Add to the enrolment with add=true.")


async def _follow(
    stream: LiveStream, live: LiveEnrolment, pipeline: Pipeline, runtime: Runtime, wanted_s: float
) -> None:
    """Sends progress until the enrolment is complete, its end is said or nothing comes."""
    run = runtime.listening.run
    async with aclosing(stream.sound()) as sound:
        async for message in sound:
            for step in await run(partial(live.take, message)):
                embeddings = await embed_patiently(pipeline.engine, step.waveforms)
                progress = await run(partial(live.embedded, step, embeddings))
                await stream.send(_event(progress))
                if progress.percent >= 100:
                    return
            if live.seconds > _MOST_S:
                raise InsufficientSpeech(speech_s=live.speech_s, required_s=wanted_s)
    await run(live.finish)


def _event(progress: Progress) -> ProgressEvent:
    level = progress.level_dbfs
    return ProgressEvent(
        at_s=round(progress.at_s, 3),
        speech=progress.speech,
        speech_s=round(progress.speech_s, 3),
        percent=progress.percent,
        remaining_speech_s=round(progress.remaining_speech_s, 3),
        level_dbfs=None if level is None else round(level, 1),
        clipped=round(progress.clipped, 5),
        feedback=[FeedbackAnswer(kind=kind, advice=ADVICE[kind]) for kind in progress.feedback],
    )


async def _stored(
    recording: Upload,
    speaker_id: str,
    enrolment: EnrolParams | AddParams,
    pipeline: Pipeline,
    runtime: Runtime,
    tenant: Tenant,
    audit: Audit,
) -> EnrolledAnswer:
    """Enrols as the same recording over HTTP would be."""
    if isinstance(enrolment, AddParams):
        return await add_audio(
            speaker_id,
            AudioRequest([recording], enrolment),
            pipeline,
            runtime.directory,
            runtime.settings,
            tenant,
            audit,
        )
    return await enrol_recordings(
        [recording], enrolment, pipeline, runtime.directory, runtime.settings, tenant, audit
    )


async def _stays() -> Message:
    """For a pipeline whose client is not watched: what a live enrolment has taken in, it stores."""
    return await asyncio.Future()
