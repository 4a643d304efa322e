"""What is answered about an enrolled voice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.api.consent import ConsentAnswer
from service.speakers import Issue, Progress, Speaker, VoiceIndex, assess
from service.tenants import shown


class IssueAnswer(BaseModel):
    """What makes an enrolment less reliable."""

    model_config = ConfigDict(from_attributes=True)

    kind: Literal["two_voices", "other_voice", "noisy", "repeated", "same_recording", "too_short"]
    recording: int | None = Field(description="Number of the recording, from 1. Null: the whole enrolment.")
    start_s: float | None = Field(description="Where it begins. Null: all of the recording.")
    end_s: float | None
    advice: str


class QualityAnswer(BaseModel):
    """How reliable the enrolment is."""

    cohesion: float | None = Field(
        description="How well the recording that fits least agrees with the others, -1 to 1."
    )
    snr_db: float | None = Field(description="Signal-to-noise ratio of the noisiest recording.")
    ok: bool
    advice: str = Field(description="What to do, in words.")
    issues: list[IssueAnswer] = Field(
        description="What makes it less reliable, each with its recording and seconds."
    )


class SpeakerAnswer(BaseModel):
    """An enrolled voice."""

    speaker_id: str
    name: str | None
    metadata: dict[str, JsonValue]
    speech_s: float = Field(description="Net speech of all recordings, in seconds.")
    utterances: int = Field(description="Number of recordings.")
    enrolled_percent: int = Field(
        description="Speech under the active model, of what is ample. It is recognised before 100 too."
    )
    remaining_speech_s: float = Field(description="Speech that is still missing to 100 percent, in seconds.")
    quality: QualityAnswer
    model: str = Field(description="The model of the newest voiceprint.")
    stale: bool = Field(description="True if the active model has no voiceprint of this speaker.")
    map_error: float | None = Field(
        description="Set if a linear map made the voiceprint from an older model's, without audio: the "
        "map's mean cosine distance from real voiceprints."
    )
    audio_retained: bool = Field(description="Whether any recording is retained.")
    collections: list[str]
    consent: ConsentAnswer | None = Field(description="What the person agreed to, where it was recorded.")
    created_at: datetime


def speaker_answer(speaker: Speaker, index: VoiceIndex, copies: Sequence[Issue] = ()) -> SpeakerAnswer:
    """The answer about a speaker, as the model of `index` knows the voice."""
    quality = assess(speaker, index.model, index.scorer, copies)
    progress = Progress.of(sum(u.speech_s for u in speaker.utterances if index.model in u.embeddings))
    return SpeakerAnswer(
        speaker_id=shown(speaker.speaker_id),
        name=speaker.name,
        metadata=dict(speaker.metadata),
        speech_s=speaker.speech_s,
        utterances=len(speaker.utterances),
        enrolled_percent=progress.enrolled_percent,
        remaining_speech_s=progress.remaining_speech_s,
        quality=QualityAnswer.model_validate(quality, from_attributes=True),
        model=speaker.newest_model(prefer=index.model),
        stale=speaker.voiceprint(index.model) is None,
        map_error=speaker.map_error(index.model),
        audio_retained=any(u.retained for u in speaker.utterances),
        collections=list(speaker.collections),
        consent=ConsentAnswer.model_validate(speaker.consent) if speaker.consent else None,
        created_at=speaker.created_at,
    )
