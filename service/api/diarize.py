"""POST /diarize: who spoke when, with the names of enrolled voices."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator

from bundle.arrays import Float32
from service.api.accept import prefers
from service.api.audio import AudioAnswer, audio_answer
from service.api.collections import CollectionParams
from service.api.decision import THRESHOLD_COLLECTION, line_warnings, single_recording
from service.api.deps import (
    AuditDep,
    ClientDep,
    DirectoryDep,
    PipelineDep,
    RuntimeDep,
    SettingsDep,
    TenantDep,
)
from service.api.identify import stale_warning
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.diarization import Diarization, Hints, Turn, Windows, diarize, rttm, webvtt
from service.errors import Conflict
from service.listening import JobState, LongDiarization
from service.runtime import Runtime
from service.settings import Settings
from service.speakers import SpeakerDirectory, Strictness, VoiceIndex, decide
from service.tenants import Tenant

router = APIRouter(tags=["diarization"])

RTTM, WEBVTT, JSON = "text/plain", "text/vtt", "application/json"
_OTHER_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {"schema": {"type": "string"}} for media in (RTTM, WEBVTT)}}
}


class DiarizeParams(CollectionParams):
    """Parameters of /diarize."""

    num_speakers: int | None = Field(None, ge=1, le=100, description="Number of voices, if it is known.")
    min_speakers: int | None = Field(None, ge=1, le=100, description="Least number of voices.")
    max_speakers: int | None = Field(None, ge=1, le=100, description="Most voices.")
    target_fpr: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Rate at which an unknown voice may get a name. Default: the stored threshold of the "
        "collection, else TWOFOLD_TARGET_FPR.",
    )
    embeddings: bool = Field(False, description="Also answer the voice embedding of each speaker.")

    @model_validator(mode="after")
    def _hints_agree(self) -> DiarizeParams:
        if self.num_speakers is not None and (self.min_speakers or self.max_speakers):
            raise ValueError("give num_speakers alone, or min_speakers and max_speakers")
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise ValueError("min_speakers is larger than max_speakers")
        return self

    def strictness(self, settings: Settings, directory: SpeakerDirectory, tenant: Tenant) -> Strictness:
        """How surely a voice has to be recognised to get its name."""
        if self.target_fpr is not None:
            return Strictness(self.target_fpr)
        return Strictness(settings.target_fpr, stored=self.stored(directory, tenant))

    @property
    def hints(self) -> Hints:
        """The same as clustering takes it."""
        return Hints(
            self.num_speakers or self.min_speakers or 1, self.num_speakers or self.max_speakers or None
        )


class RecordingParams(DiarizeParams):
    """Parameters of POST /diarize."""

    background: bool = Field(
        False,
        description="Answer at once with a job, which takes recordings of up to TWOFOLD_BACKGROUND_SECONDS. "
        "GET /diarize/{job_id} then has the answer, without `embeddings`.",
    )


class BackgroundAnswer(BaseModel):
    """The job that was started. `Location` says where to watch it."""

    job_id: str
    state: JobState


class NamedSpeaker(BaseModel):
    """An enrolled speaker."""

    speaker_id: str
    name: str | None


class TurnAnswer(BaseModel):
    """A stretch of speech of one voice."""

    start_s: float
    end_s: float
    speaker: NamedSpeaker | None = Field(description="Null if the voice is nobody's who is enrolled.")
    label: str = Field(description="The speaker's id, or `unknown 1` and so on.")
    score: float | None = Field(
        description="Of all speech of this label against the enrolled voice that is most like it, in "
        "units of `score_type`; null if nobody is enrolled."
    )
    probability: float | None = Field(description="That both are one voice, at equal prior.")
    overlap: bool = Field(
        description="Whether two people may speak at once here: one follows another without a pause, and the "
        "sound is less like the voice than usual."
    )


class DiarizedSpeaker(BaseModel):
    """A voice of the recording."""

    label: str
    speaker_id: str | None
    name: str | None
    speech_s: float
    threshold: float = Field(description="The score that a name required.")
    threshold_collection: str | None = Field(description=THRESHOLD_COLLECTION)
    embedding: list[float] | None = Field(default=None, description="Only with embeddings=true; unit length.")


class Diarized(BaseModel):
    """Who spoke when."""

    duration_s: float
    segments: list[TurnAnswer] = Field(description="In the order of time.")
    speakers: list[DiarizedSpeaker] = Field(description="In the order of their first words.")
    warnings: list[str]
    score_type: str
    model: str

    @property
    def named(self) -> list[str]:
        """The ids of enrolled speakers who were recognised."""
        return [speaker.speaker_id for speaker in self.speakers if speaker.speaker_id]


class DiarizeAnswer(Diarized):
    """Who spoke when in a recording."""

    audio: AudioAnswer


@router.post(
    "/diarize",
    response_model=DiarizeAnswer,
    responses=problem_responses(409, *AUDIO_STATUSES) | _OTHER_FORMS | {202: {"model": BackgroundAnswer}},
    openapi_extra=audio_body(RecordingParams, several=False),
)
async def diarize_recording(
    body: Annotated[AudioRequest[RecordingParams], Depends(audio_request(RecordingParams))],
    request: Request,
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    runtime: RuntimeDep,
    client: ClientDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> Response | DiarizeAnswer:
    """Finds who speaks when in one recording, and names the enrolled voices as /identify does.

    Other voices are `unknown 1` and so on. To enrol one of them, send the recording to POST /speakers with
    `start_s` and `end_s` of each of its segments. `Accept: text/plain` gives RTTM, `text/vtt` gives WebVTT. A
    recording longer than TWOFOLD_MAX_SECONDS gets status 413, unless `background` is set. Then the answer is
    202 and a job.
    """
    params = body.params
    index = await directory.index(pipeline.engine.bundle)
    (upload,) = single_recording(body.files)
    strictness = params.strictness(settings, directory, tenant)
    if params.background:
        job = _in_background(upload.data, params, strictness, runtime, client, tenant)
        audit("diarize", job_id=job.job_id, collection=params.collection)
        location = f"{request.scope['root_path']}/diarize/{job.job_id}"
        started = BackgroundAnswer(job_id=job.job_id, state=job.state)
        return JSONResponse(started.model_dump(), 202, {"Location": location})
    recording = await pipeline.windows(upload, required_s=settings.min_speech_identify_s)
    diarized = await asyncio.to_thread(
        diarize_windows,
        recording.windows,
        recording.embeddings,
        index,
        params,
        strictness=replace(strictness, line=recording.prepared.audio.line),
        tenant=tenant.name,
        among=params.among(directory, tenant),
        duration_s=recording.prepared.decoded.duration_s,
        warnings=recording.prepared.audio.warnings,
    )
    answer = DiarizeAnswer(**dict(diarized), audio=audio_answer(recording.prepared.audio))
    named = answer.named
    answer.warnings += line_warnings(directory, tenant, named, recording.prepared.audio.line)
    audit(
        "diarize",
        collection=params.collection,
        speaker_ids=named,
        voices=len(answer.speakers),
        model=pipeline.model,
    )
    turns = [Turn(s.start_s, s.end_s, s.label) for s in answer.segments]
    if prefers(request, RTTM, over=JSON):
        return Response(rttm(turns), media_type=RTTM)
    if prefers(request, WEBVTT, over=JSON):
        return Response(webvtt(turns), media_type=WEBVTT)
    return answer


def _in_background(
    data: bytes, params: DiarizeParams, strictness: Strictness, runtime: Runtime, client: str, tenant: Tenant
) -> LongDiarization:
    if runtime.settings.redis_url:
        raise Conflict(
            "background=true works where one process serves, and this one shares a Redis with others. Send "
            "the recording in pieces."
        )
    charge = partial(runtime.audio.charge, client)
    return runtime.diarizations.submit(
        data,
        params.hints,
        strictness,
        tenant=tenant,
        collection=params.collection,
        client=client,
        charge=charge,
    )


def diarize_windows(
    windows: Windows,
    embeddings: Float32,
    index: VoiceIndex,
    params: DiarizeParams,
    *,
    strictness: Strictness,
    tenant: str,
    duration_s: float,
    among: Collection[str] | None = None,
    warnings: Sequence[str] = (),
) -> Diarized:
    """Who spoke when, of at least one window of speech with its embeddings (windows, dim). Blocks."""
    parts = diarize(windows, embeddings, index.scorer, params.hints)
    diarized = name_voices(
        parts,
        index,
        strictness=strictness,
        tenant=tenant,
        among=among,
        duration_s=duration_s,
        warnings=warnings,
        embeddings=params.embeddings,
    )
    if params.num_speakers and len(diarized.speakers) != params.num_speakers:
        diarized.warnings.append(f"{len(diarized.speakers)} voices were found, not {params.num_speakers}.")
    return diarized


def name_voices(
    parts: Diarization,
    index: VoiceIndex,
    *,
    strictness: Strictness,
    tenant: str,
    duration_s: float,
    among: Collection[str] | None = None,
    warnings: Sequence[str] = (),
    embeddings: bool = False,
    numbers: Sequence[int] | None = None,
) -> Diarized:
    """Who spoke when, with the names of enrolled voices. Blocks.

    `among` are the stored ids whose names may be said; None: all of the tenant.

    `numbers` are those of all voices, for their labels while they are unknown. Without them, unknown voices
    are counted.
    """
    decisions = [
        decide(
            index,
            voice.embedding,
            seconds=voice.speech_s,
            strictness=strictness,
            tenant=tenant,
            among=among,
            top_k=1,
        )
        for voice in parts.voices
    ]
    labels: list[str] = []
    speakers: dict[str, DiarizedSpeaker] = {}
    unknown = 0
    for number, (voice, decision) in enumerate(zip(parts.voices, decisions, strict=True)):
        match = decision.match
        unknown = numbers[number] if numbers else unknown + (match is None)
        label = match.speaker_id if match else f"unknown {unknown}"
        labels.append(label)
        if label in speakers:  # clustering took one enrolled voice for two
            speakers[label].speech_s = round(speakers[label].speech_s + voice.speech_s, 3)
            continue
        speakers[label] = DiarizedSpeaker(
            label=label,
            speaker_id=match.speaker_id if match else None,
            name=match.name if match else None,
            speech_s=round(voice.speech_s, 3),
            threshold=decision.limit.score,
            threshold_collection=decision.limit.collection,
            embedding=voice.embedding.astype(np.float64).round(8).tolist() if embeddings else None,
        )
    segments = [
        TurnAnswer(
            start_s=round(segment.start_s, 3),
            end_s=round(segment.end_s, 3),
            speaker=NamedSpeaker(speaker_id=match.speaker_id, name=match.name) if match else None,
            label=labels[segment.voice],
            score=best.score if best else None,
            probability=best.probability if best else None,
            overlap=segment.overlap,
        )
        for segment in parts.segments
        for decision in [decisions[segment.voice]]
        for match, best in [(decision.match, decision.candidates[0] if decision.candidates else None)]
    ]
    warnings = [*warnings, *strictness.warnings(index)]
    if stale := stale_warning(decisions[0].stale, index.model):
        warnings.append(stale)
    if any(segment.overlap for segment in segments):
        warnings.append(
            "Two people may speak at once where `overlap` is true, or follow each other without a pause. "
            "One of them is named there."
        )
    return Diarized(
        duration_s=duration_s,
        segments=segments,
        speakers=list(speakers.values()),
        warnings=warnings,
        score_type=index.scorer.score_type,
        model=index.model,
    )
