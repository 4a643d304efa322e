"""/speakers/{speaker_id}/recordings: what a voiceprint is made of."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from service.api.deps import (
    AuditDep,
    DirectoryDep,
    EraserDep,
    RegistryDep,
    TenantDep,
    active_bundle,
    stored_id,
)
from service.api.problems import problem_responses
from service.api.speaker_answers import IssueAnswer
from service.errors import NotFound
from service.speakers import Utterance, assess

router = APIRouter(prefix="/speakers/{speaker_id}/recordings", tags=["speakers"])


class RecordingAnswer(BaseModel):
    """One recording of an enrolled voice."""

    recording: int = Field(description="Its number. It stays when another recording is removed.")
    speech_s: float = Field(description="Net speech, in seconds.")
    snr_db: float | None = Field(description="Signal-to-noise ratio.")
    bandwidth_hz: int | None = Field(description="As in `audio`. Null: unknown.")
    audio_retained: bool = Field(description="Whether it can be played back.")
    stale: bool = Field(description="True if the active model has not embedded it.")
    issues: list[IssueAnswer] = Field(description="Those of `quality.issues` about this recording.")
    created_at: datetime


class RecordingsAnswer(BaseModel):
    """The recordings of a speaker, oldest first."""

    speaker_id: str
    recordings: list[RecordingAnswer]


@router.get("", responses=problem_responses(404, 503))
async def list_recordings(
    speaker_id: str, directory: DirectoryDep, registry: RegistryDep, tenant: TenantDep
) -> RecordingsAnswer:
    """Lists the recordings of a speaker."""
    index = await directory.index(active_bundle(registry))
    speaker = await directory.threads.run(directory.gallery.get, stored_id(tenant, speaker_id))
    issues = [
        IssueAnswer.model_validate(issue) for issue in assess(speaker, index.model, index.scorer).issues
    ]

    def answer(utterance: Utterance) -> RecordingAnswer:
        return RecordingAnswer(
            recording=utterance.number,
            speech_s=utterance.speech_s,
            snr_db=utterance.snr_db,
            bandwidth_hz=utterance.measures.bandwidth_hz,
            audio_retained=utterance.retained,
            stale=index.model not in utterance.embeddings,
            issues=[issue for issue in issues if issue.recording == utterance.number],
            created_at=utterance.created_at,
        )

    return RecordingsAnswer(speaker_id=speaker_id, recordings=[answer(u) for u in speaker.utterances])


@router.get(
    "/{number}",
    response_class=Response,
    responses={
        200: {"content": {"audio/ogg": {"schema": {"type": "string", "format": "binary"}}}},
        **problem_responses(404, 503),
    },
)
async def play_recording(
    speaker_id: str, number: int, directory: DirectoryDep, tenant: TenantDep, audit: AuditDep
) -> Response:
    """The retained audio of one recording: Ogg Opus, 16 kHz mono."""
    speaker = await directory.threads.run(directory.gallery.get, stored_id(tenant, speaker_id))
    utterance = speaker.utterance(number)
    audio = await directory.threads.run(directory.gallery.audio, utterance.utterance_id)
    if audio is None:
        raise NotFound(
            f"The audio of recording {number} is not retained. Only recordings that were sent with "
            "retain_audio=true can be played back."
        )
    audit("play", speaker_id=speaker_id, recording=number)
    return Response(audio, media_type="audio/ogg", headers={"Cache-Control": "no-store"})


@router.delete("/{number}", status_code=204, responses=problem_responses(404, 409, 503))
async def remove_recording(
    speaker_id: str,
    number: int,
    eraser: EraserDep,
    directory: DirectoryDep,
    registry: RegistryDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> None:
    """Erases one recording, and makes the voiceprint from the others. Cannot be undone.

    The only recording of a speaker cannot be removed: erase the speaker instead. If its audio was retained,
    unfinished fine-tuning jobs that use audio of this speaker are canceled.
    """
    index = await directory.index(active_bundle(registry))
    await eraser.erase_recording(index, stored_id(tenant, speaker_id), number)
    audit("remove_recording", speaker_id=speaker_id, recording=number)
