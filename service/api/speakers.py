"""/speakers: enrols, shows and erases voices."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from datetime import datetime
from typing import Annotated

import pydantic_core
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, JsonValue

from service.api.deps import DirectoryDep, EraserDep, PipelineDep, RegistryDep, SettingsDep, active_bundle
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.errors import BadRequest
from service.speakers import Speaker, VoiceIndex, assess, new_utterances

router = APIRouter(prefix="/speakers", tags=["speakers"])

MAX_METADATA_CHARS = 16_384


def _parse_metadata(text: object) -> object:
    if not isinstance(text, str):
        return text
    if len(text) > MAX_METADATA_CHARS:
        raise ValueError(f"must be at most {MAX_METADATA_CHARS} characters of JSON")
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False)
        json.dumps(value, allow_nan=False)  # refuses what could not be sent back, such as 1e999
    except ValueError as error:
        raise ValueError(f"must be JSON: {error}") from None
    return value


class EnrolParams(BaseModel):
    """Parameters of an enrolment."""

    speaker_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$",
        description="Your id for the speaker. Default: a random id.",
    )
    name: str | None = Field(None, max_length=200, description="Shown in answers.")
    metadata: Annotated[dict[str, JsonValue], BeforeValidator(_parse_metadata)] = Field(
        default_factory=dict,
        description=f"A JSON object, stored unchanged; at most {MAX_METADATA_CHARS} characters.",
        json_schema_extra={
            "type": "string",
            "contentMediaType": "application/json",
            "additionalProperties": True,
            "examples": ['{"team": "blue"}'],
        },
    )
    retain_audio: bool = Field(
        False, description="Keep the recordings, so that the voice survives a change of the model."
    )


class AddParams(BaseModel):
    """Parameters of adding audio."""

    retain_audio: bool = Field(
        False, description="Keep the recordings, so that the voice survives a change of the model."
    )


class QualityAnswer(BaseModel):
    """How reliable the enrolment is."""

    cohesion: float | None = Field(
        description="How well the recording that fits least agrees with the others, -1 to 1."
    )
    snr_db: float | None = Field(description="Signal-to-noise ratio of the noisiest recording.")
    ok: bool
    advice: str = Field(description="What to do, in words.")


class SpeakerAnswer(BaseModel):
    """An enrolled voice."""

    speaker_id: str
    name: str | None
    metadata: dict[str, JsonValue]
    speech_s: float = Field(description="Net speech of all recordings, in seconds.")
    utterances: int = Field(description="Number of recordings.")
    quality: QualityAnswer
    model: str = Field(description="The model of the newest voiceprint.")
    stale: bool = Field(description="True if the active model has no voiceprint of this speaker.")
    map_error: float | None = Field(
        description="Set if a linear map made the voiceprint from an older model's, without audio: the "
        "map's mean cosine distance from real voiceprints."
    )
    audio_retained: bool = Field(description="Whether any recording is retained.")
    created_at: datetime


class SpeakersAnswer(BaseModel):
    """One page of speakers."""

    speakers: list[SpeakerAnswer]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")
    total: int = Field(description="Number of all enrolled speakers.")


@router.post(
    "",
    status_code=201,
    responses=problem_responses(409, *AUDIO_STATUSES),
    openapi_extra=audio_body(EnrolParams),
)
async def enrol(
    body: Annotated[AudioRequest[EnrolParams], Depends(audio_request(EnrolParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    request: Request,
    response: Response,
) -> SpeakerAnswer:
    """Enrols a voice from one or more recordings of one person. Once answered, it is stored durably."""
    params = body.params
    index = await directory.index(pipeline.engine.bundle)
    recordings = await pipeline.embed(body.files, required_s=settings.min_speech_enrol_s, together=True)
    utterances = await asyncio.to_thread(
        new_utterances, recordings, index.model, index.scorer, retain_audio=params.retain_audio
    )
    speaker = await directory.enrol(
        index,
        params.speaker_id or uuid.uuid4().hex,
        name=params.name,
        metadata=params.metadata,
        utterances=utterances,
    )
    response.headers["Location"] = f"{request.scope['root_path']}/speakers/{speaker.speaker_id}"
    return _answer(speaker, index)


@router.post(
    "/{speaker_id}/audio",
    responses=problem_responses(404, *AUDIO_STATUSES),
    openapi_extra=audio_body(AddParams),
)
async def add_audio(
    speaker_id: str,
    body: Annotated[AudioRequest[AddParams], Depends(audio_request(AddParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
) -> SpeakerAnswer:
    """Adds recordings to an enrolment. A stale enrolment needs as much speech as a new one."""
    index = await directory.index(pipeline.engine.bundle)
    speaker = await asyncio.to_thread(directory.gallery.get, speaker_id)
    known_s = sum(u.speech_s for u in speaker.utterances if index.model in u.embeddings)
    required_s = max(settings.min_speech_identify_s, settings.min_speech_enrol_s - known_s)
    recordings = await pipeline.embed(body.files, required_s=required_s, together=True)
    utterances = await asyncio.to_thread(
        new_utterances,
        recordings,
        index.model,
        index.scorer,
        retain_audio=body.params.retain_audio,
        speaker=speaker,
    )
    return _answer(await directory.add_utterances(index, speaker_id, utterances), index)


@router.get("", responses=problem_responses(400, 503))
async def list_speakers(
    directory: DirectoryDep,
    registry: RegistryDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Speakers on a page.")] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> SpeakersAnswer:
    """Lists enrolled speakers in the order of their ids."""
    index = await _index(directory, registry)
    page = await asyncio.to_thread(directory.gallery.list, limit=limit, after=_read_cursor(cursor))
    return SpeakersAnswer(
        speakers=[_answer(speaker, index) for speaker in page.speakers],
        next_cursor=page.next_after and base64.urlsafe_b64encode(page.next_after.encode()).decode(),
        total=await asyncio.to_thread(directory.gallery.count),
    )


@router.get("/{speaker_id}", responses=problem_responses(404, 503))
async def show(speaker_id: str, directory: DirectoryDep, registry: RegistryDep) -> SpeakerAnswer:
    """Shows one speaker."""
    index = await _index(directory, registry)
    return _answer(await asyncio.to_thread(directory.gallery.get, speaker_id), index)


@router.delete("/{speaker_id}", status_code=204, responses=problem_responses(404, 503))
async def erase(speaker_id: str, eraser: EraserDep) -> None:
    """Erases the voiceprint and the retained audio, everywhere. Cannot be undone.

    No call knows the voice once this is answered. GET /erasures lists what is not yet gone from a disk.

    Unfinished fine-tuning jobs that use this speaker's audio are canceled. Models that were already
    fine-tuned on it stay as they are.
    """
    await eraser.erase(speaker_id)


async def _index(directory: DirectoryDep, registry: RegistryDep) -> VoiceIndex:
    return await directory.index(active_bundle(registry))


def _read_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadRequest(
            "Unknown cursor. Pass the `next_cursor` of a page unchanged, or no cursor."
        ) from None


def _answer(speaker: Speaker, index: VoiceIndex) -> SpeakerAnswer:
    quality = assess(speaker, index.model, index.scorer)
    return SpeakerAnswer(
        speaker_id=speaker.speaker_id,
        name=speaker.name,
        metadata=dict(speaker.metadata),
        speech_s=speaker.speech_s,
        utterances=len(speaker.utterances),
        quality=QualityAnswer.model_validate(quality, from_attributes=True),
        model=speaker.newest_model(prefer=index.model),
        stale=speaker.voiceprint(index.model) is None,
        map_error=speaker.map_error(index.model),
        audio_retained=any(u.retained for u in speaker.utterances),
        created_at=speaker.created_at,
    )
