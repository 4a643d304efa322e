"""The part of an answer that is about a recording."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.audio.report import AudioReport


class AudioAnswer(BaseModel):
    """What was measured of a recording. Nothing is copied from its header."""

    codec: str = Field(description="FFmpeg's name of the codec, such as `opus` or `pcm_s16`.")
    sample_rate_hz: int = Field(description="Sample rate that was decoded. Speech may be narrower.")
    channels: int
    bandwidth_hz: int | None = Field(
        description="Highest frequency at which the voice stands out, at most 8000; telephone lines give "
        "3400 to 4700. Null: too little speech to tell."
    )
    level_dbfs: float | None = Field(description="RMS of the speech; 0 is full scale. Null: silence.")
    clipped: float = Field(description="Share of the samples at full scale, 0 to 1.")
    snr_db: float | None = Field(description="Signal-to-noise ratio.")
    speech_s: float = Field(description="Net speech found, in seconds.")
    warnings: list[str] = Field(description="What makes the recording less reliable, and what was done.")


def audio_answer(report: AudioReport) -> AudioAnswer:
    """The answer for a report."""
    return AudioAnswer.model_validate(report, from_attributes=True)
