"""POST /embed: the voice embedding of each file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from bundle.arrays import Float32
from bundle.vectors import pool_utterance
from bundle.voice import VoiceBundle
from service.api.audio import AudioAnswer, audio_answer
from service.api.deps import PipelineDep, SettingsDep
from service.api.npy import NPY, NPY_ANSWER, npy_answer, wants_npy
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.audio.decoder import EmbeddedRecording
from service.errors import BadRequest

router = APIRouter(tags=["embeddings"])


class EmbedParams(BaseModel):
    """Parameters of /embed."""

    segments: bool = Field(False, description="Also embed every 1.024 s segment of speech.")


class SegmentAnswer(BaseModel):
    """The voice embedding of one segment of the recording."""

    start_s: float
    end_s: float
    embedding: list[float]


class EmbeddingAnswer(BaseModel):
    """The voice embedding of one file."""

    filename: str | None = Field(description="As sent; null for a raw body.")
    duration_s: float
    speech_s: float = Field(description="Net speech found, in seconds.")
    audio: AudioAnswer
    embedding: list[float] = Field(description="Unit length.")
    segments: list[SegmentAnswer] | None = Field(default=None, description="Only with segments=true.")


class EmbedAnswer(BaseModel):
    """Voice embeddings, in the order of the files."""

    model: str
    dim: int
    results: list[EmbeddingAnswer]


@router.post(
    "/embed",
    response_model=EmbedAnswer,
    response_model_exclude_unset=True,
    responses=problem_responses(*AUDIO_STATUSES) | NPY_ANSWER,
    openapi_extra=audio_body(EmbedParams),
)
async def embed(
    body: Annotated[AudioRequest[EmbedParams], Depends(audio_request(EmbedParams))],
    request: Request,
    pipeline: PipelineDep,
    settings: SettingsDep,
) -> EmbedAnswer | Response:
    """Voice embedding of each file: who speaks, not what is said.

    `Accept: application/x-npy` gives the embeddings alone, as a float32 array (files, dim) for `numpy.load`.
    """
    as_npy = wants_npy(request)
    if as_npy and body.params.segments:
        raise BadRequest(f"{NPY} holds one row a file: accept application/json, or leave out segments.")
    recordings = await pipeline.embed(body.files, required_s=settings.min_speech_embed_s)
    if as_npy:
        embeddings = np.stack([pool_utterance(recording.embeddings) for recording in recordings])
        return npy_answer(embeddings, pipeline.model)
    return embed_answer(recordings, pipeline.engine.bundle, segments=body.params.segments)


def embed_answer(
    recordings: Sequence[EmbeddedRecording], bundle: VoiceBundle, *, segments: bool
) -> EmbedAnswer:
    """The answer for recordings that `bundle` embedded; with `segments`, also of every crop."""
    return EmbedAnswer(
        model=bundle.id,
        dim=bundle.embedding_dim,
        results=[_embedding(recording, segments) for recording in recordings],
    )


def _embedding(recording: EmbeddedRecording, segments: bool) -> EmbeddingAnswer:
    result = EmbeddingAnswer(
        filename=recording.upload.filename,
        duration_s=recording.prepared.decoded.duration_s,
        speech_s=recording.prepared.crops.speech_s,
        audio=audio_answer(recording.prepared.audio),
        embedding=_floats(pool_utterance(recording.embeddings)),
    )
    if segments:
        result.segments = [
            SegmentAnswer(start_s=start, end_s=end, embedding=_floats(row))
            for (start, end), row in zip(recording.prepared.crops.spans, recording.embeddings, strict=True)
        ]
    return result


def _floats(vector: Float32) -> list[float]:
    # Eight decimals keep all of a float32 below 1, in half the characters.
    values: list[float] = vector.astype(np.float64).round(8).tolist()
    return values
