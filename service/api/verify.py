"""POST /verify: whether a recording is of one enrolled speaker."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from bundle.vectors import pool_utterance
from service.api.audio import AudioAnswer, audio_answer
from service.api.decision import (
    THRESHOLD_COLLECTION,
    DecisionParams,
    line_warnings,
    recording_warnings,
    single_recording,
)
from service.api.deps import AuditDep, DirectoryDep, PipelineDep, SettingsDep, TenantDep, stored_id
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.errors import Conflict
from service.speakers.gallery import unknown

router = APIRouter(tags=["recognition"])


class VerifyParams(DecisionParams):
    """Parameters of /verify."""

    speaker_id: str = Field(description="The enrolled speaker to compare with.")


class VerifyAnswer(BaseModel):
    """Whether the recording is of that speaker."""

    speaker_id: str
    accepted: bool
    score: float = Field(description="In units of `score_type`, not a probability.")
    probability: float = Field(description="That both are one voice, at equal prior.")
    threshold: float = Field(description="The score that was required.")
    threshold_collection: str | None = Field(description=THRESHOLD_COLLECTION)
    score_type: str
    speech_s: float = Field(description="Net speech found, in seconds.")
    model: str
    warnings: list[str] = Field(description="Why the decision may be less sure.")
    audio: AudioAnswer


@router.post(
    "/verify",
    responses=problem_responses(404, 409, *AUDIO_STATUSES),
    openapi_extra=audio_body(VerifyParams),
)
async def verify(
    body: Annotated[AudioRequest[VerifyParams], Depends(audio_request(VerifyParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> VerifyAnswer:
    """Compares one recording with one enrolled voice. Uses memory only, as /identify does."""
    params = body.params
    index = await directory.index(pipeline.engine.bundle)
    speaker_id = stored_id(tenant, params.speaker_id)
    among = params.among(directory, tenant)
    if among is not None and speaker_id not in among:
        raise unknown(speaker_id)
    enrolled = index.centred(speaker_id)
    if enrolled is None:
        raise Conflict(
            f"Speaker {params.speaker_id!r} is stale: there is no voiceprint under {index.model}. Add audio "
            f"with POST /speakers/{params.speaker_id}/audio, or activate the model of the enrolment."
        )
    (recording,) = await pipeline.embed(
        single_recording(body.files), required_s=settings.min_speech_identify_s
    )
    score = index.scorer.score_centred(pool_utterance(recording.embeddings), enrolled)
    speech_s = recording.prepared.crops.speech_s
    strictness = params.strictness(settings, directory, tenant, recording)
    limit = strictness.limit(index, seconds=speech_s)
    audit(
        "verify",
        speaker_id=params.speaker_id,
        collection=params.collection,
        accepted=score >= limit.score,
        score=score,
        threshold=limit.score,
        model=pipeline.model,
    )
    return VerifyAnswer(
        speaker_id=params.speaker_id,
        accepted=score >= limit.score,
        score=score,
        probability=index.scorer.probability(score, seconds=speech_s, narrow=strictness.line.narrow),
        threshold=limit.score,
        threshold_collection=limit.collection,
        score_type=index.scorer.score_type,
        speech_s=speech_s,
        model=pipeline.model,
        warnings=[
            *strictness.warnings(index),
            *line_warnings(directory, tenant, [params.speaker_id], strictness.line),
            *await asyncio.to_thread(recording_warnings, recording, index.scorer),
        ],
        audio=audio_answer(recording.prepared.audio),
    )
