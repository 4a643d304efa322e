"""POST /identify: who speaks, among the enrolled voices and nobody."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from bundle.vectors import pool_utterance
from service.api.decision import DecisionParams, single_recording
from service.api.deps import DirectoryDep, PipelineDep, SettingsDep
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request

router = APIRouter(tags=["speakers"])


class IdentifyParams(DecisionParams):
    """Parameters of /identify."""

    top_k: int = Field(5, ge=1, le=100, description="Most candidates to list.")


class CandidateAnswer(BaseModel):
    """An enrolled speaker, compared with the recording."""

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
    score_type: str
    speech_s: float = Field(description="Net speech found, in seconds.")
    model: str
    searched: int = Field(description="Number of voices that were compared.")
    warning: str | None = Field(description="Set if some enrolled speakers could not be compared.")


@router.post(
    "/identify", responses=problem_responses(*AUDIO_STATUSES), openapi_extra=audio_body(IdentifyParams)
)
async def identify(
    body: Annotated[AudioRequest[IdentifyParams], Depends(audio_request(IdentifyParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
) -> IdentifyAnswer:
    """Compares one recording with every enrolled voice.

    `target_fpr` holds for the whole search, however many voices are enrolled. The search uses memory only,
    so it works while the store is out of reach.
    """
    params = body.params
    index = await directory.index(pipeline.engine.bundle)
    (recording,) = await pipeline.embed(
        single_recording(body.files), required_s=settings.min_speech_identify_s
    )
    speech_s = recording.prepared.crops.speech_s
    searched, stale = len(index), index.stale
    hits = await asyncio.to_thread(index.search, pool_utterance(recording.embeddings), params.top_k)
    candidates = [
        CandidateAnswer(
            speaker_id=hit.speaker_id,
            name=hit.name,
            score=hit.score,
            probability=index.scorer.probability(hit.score, seconds=speech_s),
        )
        for hit in hits
    ]
    threshold = params.threshold_for(index.scorer, settings, seconds=speech_s, voices=searched)
    return IdentifyAnswer(
        match=candidates[0] if candidates and candidates[0].score >= threshold else None,
        candidates=candidates,
        threshold=threshold,
        score_type=index.scorer.score_type,
        speech_s=speech_s,
        model=pipeline.model,
        searched=searched,
        warning=_warning(stale, pipeline.model) if stale > 0 else None,
    )


def _warning(stale: int, model: str) -> str:
    speakers = "1 enrolled speaker was" if stale == 1 else f"{stale} enrolled speakers were"
    return (
        f"{speakers} not compared: there is no voiceprint under {model}. "
        "GET /speakers marks them as stale. Add audio with POST /speakers/{speaker_id}/audio."
    )
