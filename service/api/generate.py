"""POST /generate, GET /generate/labels: audio for a label."""

from __future__ import annotations

import base64
import io
import re
import secrets
import zipfile
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from bundle.arrays import Float32
from bundle.generator import GeneratorBundle
from service.admission import Place
from service.api.accept import prefers
from service.api.deps import AdmissionDep, DecoderDep, GenerationDep
from service.api.pipeline import while_connected
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.audio import encode_wav, loudest_second
from service.audio.decoder import AudioDecoder, Upload
from service.errors import BadRequest, InvalidAudio

router = APIRouter(prefix="/generate", tags=["generation"])

MOST_CLIPS = 16
_SEEDS = 2**32
_WAV, _ZIP = "audio/wav", "application/zip"
_SILENCE = 1e-3  # a peak of −60 dB: an audio encoder makes that much noise itself
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_LANGUAGE = "Of the clips, as a tag: with `ar`, seven is said in Arabic. Null if unknown or not spoken."
_EPOCH = (1980, 1, 1, 0, 0, 0)  # one fixed time, so that equal clips give equal archives


class GenerateParams(BaseModel):
    """Parameters of /generate."""

    label: str = Field(max_length=200, description="One of GET /generate/labels.", examples=["seven"])
    seed: int | None = Field(
        None, ge=0, lt=_SEEDS, description="The same seed gives the same bytes. Default: a random seed."
    )
    n: int = Field(
        1, ge=1, le=MOST_CLIPS, description="Number of clips. Clip i has the seed (`seed` + i) mod 2³²."
    )


class ClipAnswer(BaseModel):
    """One second of audio."""

    seed: int = Field(description="This seed with n = 1 gives the same clip again.")
    audio: str = Field(description="16-bit WAV at 16 kHz, in base64.")


class GenerateAnswer(BaseModel):
    """The clips, in the order of their seeds."""

    model: str
    label: str
    language: str | None = Field(description=_LANGUAGE)
    clips: list[ClipAnswer]


class LabelsAnswer(BaseModel):
    """What `label` may be."""

    model: str
    labels: list[str]
    language: str | None = Field(description=_LANGUAGE)


@router.get("/labels", responses=problem_responses(409))
async def list_labels(desk: GenerationDep) -> LabelsAnswer:
    """The labels of the installed generator. 409 if none is installed."""
    bundle = await desk.bundle()
    return LabelsAnswer(model=bundle.id, labels=list(bundle.labels), language=bundle.language)


@router.post(
    "",
    response_model=GenerateAnswer,
    responses=problem_responses(409, *AUDIO_STATUSES)
    | {
        200: {
            "content": {_WAV: _BINARY, _ZIP: _BINARY},
            "headers": {
                "X-Model": {"schema": {"type": "string"}, "description": "The model that generated."},
                "X-Seed": {"schema": {"type": "integer"}, "description": "Of the first clip."},
                "Content-Language": {"schema": {"type": "string"}, "description": "If it is known."},
            },
        }
    },
    openapi_extra=audio_body(GenerateParams, files_required=False, file_field="style", several=False),
)
async def generate(
    body: Annotated[
        AudioRequest[GenerateParams],
        Depends(audio_request(GenerateParams, files_required=False, file_field="style")),
    ],
    request: Request,
    desk: GenerationDep,
    decoder: DecoderDep,
    place: AdmissionDep,
) -> Response:
    """Generates one second of audio for a label.

    Answers a WAV file, or a zip of them for n > 1. `Accept: application/json` gives JSON.

    `style`, or a recording as the body, replaces the random latent. Its loudest second is used; a shorter
    recording gets silence at its end. The clip then resembles the recording as far as the model tells style
    from label. The seed only sets the phase of the quietest parts.
    """
    bundle = await desk.bundle()
    params = body.params
    _require_label(params.label, bundle)
    first = secrets.randbelow(_SEEDS) if params.seed is None else params.seed
    seeds = [(first + i) % _SEEDS for i in range(params.n)]
    style = await _style(body.files, decoder, place)
    waveforms = await while_connected(desk.clips(bundle, params.label, seeds, style), request.receive)
    wavs = dict(zip(seeds, map(encode_wav, waveforms), strict=True))
    headers = {"X-Model": bundle.id, "X-Seed": str(first)}
    if bundle.language:
        headers["Content-Language"] = bundle.language
    if prefers(request, "application/json", over=_WAV):
        clips = [ClipAnswer(seed=seed, audio=base64.b64encode(wav).decode()) for seed, wav in wavs.items()]
        answer = GenerateAnswer(model=bundle.id, label=params.label, language=bundle.language, clips=clips)
        return JSONResponse(answer.model_dump(), headers=headers)
    return _files(params.label, wavs, headers)


def _require_label(label: str, bundle: GeneratorBundle) -> None:
    if label not in bundle.labels:
        message = f"{label!r} is not a label of {bundle.id}. Its labels are {', '.join(bundle.labels)}."
        raise RequestValidationError([{"loc": ("parameters", "label"), "msg": message, "type": "enum"}])


async def _style(files: list[Upload], decoder: AudioDecoder, place: Place) -> Float32 | None:
    if not files:
        return None
    if len(files) > 1:
        raise BadRequest("Send only one style recording.")
    samples = (await decoder.decode(files[0])).samples
    place.hold(samples.nbytes)
    second = loudest_second(samples)
    if np.abs(second).max() < _SILENCE:
        raise InvalidAudio("The style recording is silent. Send a recording with sound in it.")
    return second


def _files(label: str, wavs: dict[int, bytes], headers: dict[str, str]) -> Response:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", label)
    if len(wavs) == 1:
        [(seed, wav)] = wavs.items()
        named = {"Content-Disposition": f'attachment; filename="{stem}-{seed}.wav"'}
        return Response(wav, media_type=_WAV, headers=headers | named)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for seed, wav in wavs.items():
            archive.writestr(zipfile.ZipInfo(f"{stem}-{seed}.wav", _EPOCH), wav)
    named = {"Content-Disposition": f'attachment; filename="{stem}.zip"'}
    return Response(buffer.getvalue(), media_type=_ZIP, headers=headers | named)
