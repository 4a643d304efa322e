"""From an uploaded file to crops of speech. Blocks: run it in a thread."""

from __future__ import annotations

from dataclasses import dataclass

from service.audio.crops import Crops, cut_crops
from service.audio.decode import DecodedRecording, decode
from service.audio.limits import AudioLimits
from service.audio.readers import FfmpegReader
from service.audio.vad import Region, SpeechDetector
from service.errors import InsufficientSpeech, NoSpeech


@dataclass(frozen=True, eq=False)
class PreparedRecording:
    """A decoded file with its regions of speech and their crops."""

    decoded: DecodedRecording
    regions: list[Region]
    crops: Crops


def prepare(
    data: bytes,
    limits: AudioLimits,
    detector: SpeechDetector,
    ffmpeg: FfmpegReader | None = None,
    *,
    min_speech_s: float = 0.0,
) -> PreparedRecording:
    """Decodes `data`, finds the speech in it and cuts the speech into crops.

    Raises:
        TooLarge, UnsupportedMedia, InvalidAudio: as `decode`.
        NoSpeech: nobody speaks.
        InsufficientSpeech: there are less than `min_speech_s` seconds of speech.
    """
    decoded = decode(data, limits, ffmpeg)
    regions = detector.find(decoded.samples)
    crops = cut_crops(decoded.samples, regions)
    if not crops.spans:
        raise NoSpeech(
            f"No speech was found in {decoded.duration_s:.2f} s of audio. "
            "Send a recording in which somebody speaks."
        )
    if crops.speech_s < min_speech_s:
        raise InsufficientSpeech(speech_s=crops.speech_s, required_s=min_speech_s)
    return PreparedRecording(decoded, regions, crops)
