"""WS /listen: who speaks, while they speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, WebSocket
from pydantic import BaseModel, Field

from service.api.decision import THRESHOLD_COLLECTION, line_warnings, stream_warnings
from service.api.deps import RuntimeDep
from service.api.diarize import Diarized, DiarizeParams, NamedSpeaker, diarize_windows
from service.api.identify import CandidateAnswer
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
from service.errors import NotReady
from service.inference import Engine
from service.listening import Listening, Moment, SpeakerTracker, Step, embed_patiently
from service.runtime import Runtime
from service.speakers import Strictness, VoiceIndex
from service.tenants import Tenant

router = APIRouter()


class ListenParams(DiarizeParams, StreamParams):
    """Parameters of /listen. The hints on the number of voices are for the end."""

    top_k: int = Field(5, ge=1, le=8, description="Most candidates in an event.")


class NowEvent(BaseModel):
    """Who speaks now."""

    event: Literal["now"] = "now"
    at_s: float = Field(description="Sound of the stream so far.")
    speech: bool = Field(description="Whether somebody spoke in the last half second.")
    speaker: NamedSpeaker | None = Field(
        default=None, description="Who speaks. Null: nobody, nobody who is enrolled, or not known yet."
    )
    unknown: bool = Field(default=False, description="Whether somebody speaks who is not enrolled.")
    since_s: float | None = Field(default=None, description="When the turn began.")
    speech_s: float | None = Field(default=None, description="Speech of the turn that was compared.")
    threshold: float | None = Field(
        default=None, description="The score that a name requires for so much speech."
    )
    threshold_collection: str | None = Field(default=None, description=THRESHOLD_COLLECTION)
    candidates: list[CandidateAnswer] = Field(default=[], description="For the whole turn, best first.")
    level_dbfs: float | None = Field(description="RMS of the loud parts; 0 is full scale. Null: silence.")
    clipped: float = Field(description="Share of the last samples at full scale, 0 to 1.")


class EndEvent(BaseModel):
    """The last event of a stream."""

    event: Literal["end"] = "end"
    reason: Literal["asked", "idle", "full"] = Field(
        description="`full`: the stream was as long as TWOFOLD_MAX_STREAM_SECONDS."
    )
    diarization: Diarized


@router.websocket("/listen")
async def listen(
    websocket: WebSocket,
    params: Annotated[ListenParams, Depends(stream_params(ListenParams))],
    runtime: RuntimeDep,
    tenant: StreamTenantDep,
    client: StreamClientDep,
    audit: StreamAuditDep,
) -> None:
    """Follows who speaks in a stream, and diarizes all of it at its end."""
    settings = runtime.settings
    runtime.audio.require(client)
    with runtime.listening.admit(client), runtime.registry.lease() as engine:
        index = await runtime.directory.index(engine.bundle)
        strictness = params.strictness(settings, runtime.directory, tenant)
        among = params.among(runtime.directory, tenant)
        tracker = SpeakerTracker(
            index, strictness, tenant=tenant, among=among, least_s=settings.min_speech_identify_s
        )
        listening = Listening(
            runtime.listening.detector, params.codec, params.sample_rate_hz, tracker, index.scorer
        )
        async with accepted(websocket, settings) as stream:
            await stream.send(ready_event(index, params, max_seconds=settings.max_stream_seconds))
            named: set[str] = set()
            try:
                async for step in _steps(stream, listening, runtime, client):
                    embeddings = await embed_patiently(engine, step.waveforms)
                    _require_same_model(runtime, engine)
                    moment = await runtime.listening.run(partial(listening.embedded, step, embeddings))
                    event = _now(moment, step, params.top_k)
                    if event.speaker:
                        named.add(event.speaker.speaker_id)
                    await stream.send(event)
                full = listening.seconds >= settings.max_stream_seconds
                diarized = await asyncio.to_thread(
                    _diarized, listening, index, params, strictness, tenant, among
                )
                diarized.warnings += stream_warnings(listening.line)
                diarized.warnings += line_warnings(runtime.directory, tenant, diarized.named, listening.line)
                reason: Literal["asked", "idle", "full"] = (
                    "full" if full else "idle" if stream.idle else "asked"
                )
                await stream.send(EndEvent(reason=reason, diarization=diarized))
            finally:
                audit(
                    "listen",
                    collection=params.collection,
                    speaker_ids=sorted(named),
                    seconds=round(listening.seconds, 3),
                    model=index.model,
                )


async def _steps(
    stream: LiveStream, listening: Listening, runtime: Runtime, client: str
) -> AsyncIterator[Step]:
    """The steps of a stream, to its end or until it is as long as it may be."""
    async with aclosing(stream.sound()) as sound:
        async for message in sound:
            before_s = listening.seconds
            for step in await runtime.listening.run(partial(listening.take, message)):
                yield step
            runtime.audio.charge(client, listening.seconds - before_s)
            runtime.metrics.audio_seconds.inc(listening.seconds - before_s)
            runtime.audio.require(client)
            if listening.seconds >= runtime.settings.max_stream_seconds:
                break
    for step in await runtime.listening.run(listening.finish):
        yield step


def _require_same_model(runtime: Runtime, engine: Engine) -> None:
    if runtime.registry.active is not engine.bundle:
        raise NotReady("Another model was activated meanwhile. Open the stream again.", retry_after_s=1)


def _now(moment: Moment, step: Step, top_k: int) -> NowEvent:
    event = NowEvent(
        at_s=round(moment.at_s, 3),
        speech=step.speech,
        level_dbfs=None if moment.level_dbfs is None else round(moment.level_dbfs, 1),
        clipped=round(moment.clipped, 5),
    )
    speaking = moment.speaking
    if speaking is None:
        return event
    decision, match = speaking.decision, speaking.match
    return event.model_copy(
        update={
            "speaker": NamedSpeaker(speaker_id=match.speaker_id, name=match.name) if match else None,
            "unknown": speaking.unknown,
            "since_s": round(speaking.since_s, 3),
            "speech_s": round(speaking.speech_s, 3),
            "threshold": decision.limit.score if decision else None,
            "threshold_collection": decision.limit.collection if decision else None,
            "candidates": [
                CandidateAnswer.model_validate(candidate)
                for candidate in (decision.candidates[:top_k] if decision else ())
            ],
        }
    )


def _diarized(
    listening: Listening,
    index: VoiceIndex,
    params: ListenParams,
    strictness: Strictness,
    tenant: Tenant,
    among: Collection[str] | None,
) -> Diarized:
    windows, embeddings = listening.windows()
    if not len(windows):
        return Diarized(
            duration_s=round(listening.seconds, 3),
            segments=[],
            speakers=[],
            warnings=["Nobody spoke."],
            score_type=index.scorer.score_type,
            model=index.model,
        )
    return diarize_windows(
        windows,
        embeddings,
        index,
        params,
        strictness=replace(strictness, line=listening.line),
        tenant=tenant.name,
        among=among,
        duration_s=round(listening.seconds, 3),
    )
