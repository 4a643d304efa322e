"""POST /content: what is said, as one vector per frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from bundle.arrays import Float32
from service.api.audio import AudioAnswer, audio_answer
from service.api.deps import PipelineDep, SettingsDep
from service.api.npy import NPY, NPY_ANSWER, npy_answer, wants_npy
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.errors import BadRequest

router = APIRouter(tags=["embeddings"])

_ROWS_PER_CHUNK = 64


class ContentParams(BaseModel):
    """/content takes no parameters."""


class FramesAnswer(BaseModel):
    """The content embedding of one file."""

    filename: str | None = Field(description="As sent; null for a raw body.")
    duration_s: float
    audio: AudioAnswer
    frames: list[list[float]] = Field(
        description="One vector per frame; frame i starts at i × frame_s. Silence is included."
    )


class ContentAnswer(BaseModel):
    """Content embeddings, in the order of the files."""

    model: str
    dim: int
    frame_s: float
    results: list[FramesAnswer]


@router.post(
    "/content",
    response_model=ContentAnswer,
    responses=problem_responses(409, *AUDIO_STATUSES) | NPY_ANSWER,
    openapi_extra=audio_body(ContentParams),
)
async def content(
    body: Annotated[AudioRequest[ContentParams], Depends(audio_request(ContentParams))],
    request: Request,
    pipeline: PipelineDep,
    settings: SettingsDep,
) -> Response:
    """Content embedding: one vector per 16 ms frame of the whole recording.

    `Accept: application/x-npy` gives the frames of one file as a float32 array (frames, dim) for
    `numpy.load`.
    """
    as_npy = wants_npy(request)
    if as_npy and len(body.files) > 1:
        raise BadRequest(f"{NPY} holds one array: send one file, or accept application/json.")
    recordings = await pipeline.content(body.files, required_s=settings.min_speech_embed_s)
    if as_npy:
        return npy_answer(recordings[0][1], pipeline.model)
    bundle = pipeline.engine.bundle
    head: dict[str, object] = {"model": pipeline.model, "dim": bundle.content_dim, "frame_s": bundle.frame_s}
    results: list[tuple[dict[str, object], Float32]] = [
        (
            {
                "filename": upload.filename,
                "duration_s": prepared.decoded.duration_s,
                "audio": audio_answer(prepared.audio).model_dump(),
            },
            frames,
        )
        for upload, (prepared, frames) in zip(body.files, recordings, strict=True)
    ]
    return StreamingResponse(_json(head, results), media_type="application/json")


def _json(head: dict[str, object], results: list[tuple[dict[str, object], Float32]]) -> Iterator[str]:
    """ContentAnswer in pieces. A long recording is tens of megabytes of JSON, too much to hold at once."""
    yield json.dumps(head)[:-1] + ', "results": ['
    for index, (fields, frames) in enumerate(results):
        yield ("," if index else "") + json.dumps(fields)[:-1] + ', "frames": ['
        for start in range(0, len(frames), _ROWS_PER_CHUNK):
            rows = frames[start : start + _ROWS_PER_CHUNK].astype(np.float64).round(6).tolist()
            yield ("," if start else "") + json.dumps(rows)[1:-1]
        yield "]}"
    yield "]}"
