"""POST /identify: who speaks, among the enrolled voices and nobody."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from bundle.vectors import pool_utterance
from service.api.audio import AudioAnswer, audio_answer
from service.api.decision import (
    THRESHOLD_COLLECTION,
    DecisionParams,
    line_warnings,
    recording_warnings,
    single_recording,
)
from service.api.deps import AuditDep, DirectoryDep, PipelineDep, SettingsDep, TenantDep
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.speakers import decide

router = APIRouter(tags=["recognition"])


class IdentifyParams(DecisionParams):
    """Parameters of /identify."""

    top_k: int = Field(5, ge=1, le=100, description="Most candidates to list.")


class CandidateAnswer(BaseModel):
    """An enrolled speaker, compared with the recording."""

    model_config = ConfigDict(from_attributes=True)

    speaker_id: str
    name: str | None
    score: float = Field(description="In units of `score_type`, not a probability.")
    probability: float = Field(description="That both are one voice, at equal prior.")


class IdentifyAnswer(BaseModel):
    """Who speaks, if it is an enrolled speaker."""

    match: CandidateAnswer | None = Field(
        description="The best candidate, if its score reaches the threshold."
    )
    candidates: list[CandidateAnswer] = Field(description="Best first.")
    threshold: float = Field(description="The score that was required.")
    threshold_collection: str | None = Field(description=THRESHOLD_COLLECTION)
    score_type: str
    speech_s: float = Field(description="Net speech found, in seconds.")
    model: str
    searched: int = Field(description="Number of voices that were compared.")
    warning: str | None = Field(description="Set if some enrolled speakers could not be compared.")
    warnings: list[str] = Field(description="Why the decision may be less sure; `warning` is among them.")
    audio: AudioAnswer


@router.post(
    "/identify", responses=problem_responses(*AUDIO_STATUSES), openapi_extra=audio_body(IdentifyParams)
)
async def identify(
    body: Annotated[AudioRequest[IdentifyParams], Depends(audio_request(IdentifyParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> IdentifyAnswer:
    """Compares one recording with every enrolled voice.

    `target_fpr` holds for the whole search, however many voices are in it. The search uses memory only,
    so it works while the store is out of reach.
    """
    params = body.params
    index = await directory.index(pipeline.engine.bundle)
    (recording,) = await pipeline.embed(
        single_recording(body.files), required_s=settings.min_speech_identify_s
    )
    speech_s = recording.prepared.crops.speech_s
    strictness = params.strictness(settings, directory, tenant, recording)
    decision = await asyncio.to_thread(
        decide,
        index,
        pool_utterance(recording.embeddings),
        seconds=speech_s,
        strictness=strictness,
        tenant=tenant.name,
        among=params.among(directory, tenant),
        top_k=params.top_k,
    )
    candidates = [CandidateAnswer.model_validate(candidate) for candidate in decision.candidates]
    match = candidates[0] if decision.match else None
    best = [candidate.speaker_id for candidate in candidates[:1]]
    audit(
        "identify",
        collection=params.collection,
        speaker_id=match.speaker_id if match else None,
        score=candidates[0].score if candidates else None,
        threshold=decision.limit.score,
        searched=decision.searched,
        model=pipeline.model,
    )
    spoken = await asyncio.to_thread(recording_warnings, recording, index.scorer)
    warning = stale_warning(decision.stale, pipeline.model)
    return IdentifyAnswer(
        match=match,
        candidates=candidates,
        threshold=decision.limit.score,
        threshold_collection=decision.limit.collection,
        score_type=index.scorer.score_type,
        speech_s=speech_s,
        model=pipeline.model,
        searched=decision.searched,
        warning=warning,
        warnings=[
            *([warning] if warning else []),
            *strictness.warnings(index),
            *line_warnings(directory, tenant, best, strictness.line),
            *spoken,
        ],
        audio=audio_answer(recording.prepared.audio),
    )


def stale_warning(stale: int, model: str) -> str | None:
    """What to say of `stale` enrolled speakers that could not be compared under `model`."""
    if stale <= 0:
        return None
    speakers = "1 enrolled speaker was" if stale == 1 else f"{stale} enrolled speakers were"
    return (
        f"{speakers} not compared: there is no voiceprint under {model}. "
        "GET /speakers marks them as stale. Add audio with POST /speakers/{speaker_id}/audio."
    )
