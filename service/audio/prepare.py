"""From an uploaded file to crops of speech. Blocks: run it in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.crops import Crops, cut_crops
from service.audio.decode import DecodedRecording, decode
from service.audio.fingerprint import Fingerprint, fingerprint
from service.audio.level import level
from service.audio.limits import AudioLimits
from service.audio.readers import FfmpegReader
from service.audio.report import AudioReport, report
from service.audio.vad import Region, SpeechDetector
from service.errors import BadRequest, InsufficientSpeech, NoSpeech

_SLACK_S = 0.05  # times are rounded in answers


@dataclass(frozen=True, eq=False)
class PreparedRecording:
    """A decoded file with its regions of speech and their crops."""

    decoded: DecodedRecording
    samples: Float32  # (n,) of it, brought to one level; what models are given
    regions: list[Region]
    crops: Crops
    audio: AudioReport

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Tells the recording from others. Takes some milliseconds for each second."""
        return fingerprint(self.samples)


def prepare(
    data: bytes,
    limits: AudioLimits,
    detector: SpeechDetector,
    ffmpeg: FfmpegReader | None = None,
    *,
    min_speech_s: float = 0.0,
    pieces: Sequence[tuple[float, float]] = (),
) -> PreparedRecording:
    """Decodes `data`, brings it to one level, finds the speech in it and cuts the speech into crops.

    `pieces` are start_s and end_s of the only parts that are used; without any, all of it is.

    Raises:
        TooLarge, UnsupportedMedia, InvalidAudio: as `decode`.
        BadRequest: a piece lies outside the recording.
        NoSpeech: nobody speaks.
        InsufficientSpeech: there are less than `min_speech_s` seconds of speech.
    """
    decoded = decode(data, limits, ffmpeg)
    if pieces:
        decoded = _only(decoded, pieces)
    levelled = level(decoded.samples)
    samples = levelled.samples
    regions = detector.find(samples)
    crops = cut_crops(samples, regions)
    if not crops.spans:
        raise NoSpeech(
            f"No speech was found in {decoded.duration_s:.2f} s of audio. "
            "Send a recording in which somebody speaks."
        )
    if crops.speech_s < min_speech_s:
        raise InsufficientSpeech(speech_s=crops.speech_s, required_s=min_speech_s)
    audio = report(decoded, levelled, regions, crops.speech_s)
    return PreparedRecording(decoded, samples, regions, crops, audio)


def _only(decoded: DecodedRecording, pieces: Sequence[tuple[float, float]]) -> DecodedRecording:
    """The pieces of a recording, one after the other."""
    before_s = 0.0  # pieces that overlap could be far longer together than the recording
    for start_s, end_s in pieces:
        if not before_s <= start_s < end_s or end_s > decoded.duration_s + _SLACK_S:
            raise BadRequest(
                f"There is no piece from {start_s:g} to {end_s:g} s in a recording of "
                f"{decoded.duration_s:.2f} s. Give pieces in order, without overlap, as "
                "POST /diarize answers them."
            )
        before_s = end_s
    samples = np.concatenate(
        [decoded.samples[round(a * SAMPLE_RATE_HZ) : round(b * SAMPLE_RATE_HZ)] for a, b in pieces]
    )
    return replace(decoded, samples=samples, duration_s=len(samples) / SAMPLE_RATE_HZ)
