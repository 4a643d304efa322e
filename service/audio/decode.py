"""Bytes of an audio file → 16 kHz mono float32. Every limit on what the service takes in is enforced here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import soundfile
import soxr

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.containers import Container, check_ogg, check_wav, has_length_tag, sniff
from service.audio.limits import AudioLimits
from service.errors import InvalidAudio, TooLarge, UnsupportedMedia

_BLOCK_SAMPLES = 65_536  # of all channels together: what is held decoded at the source's rate
_FORMATS = {
    "WAV": ("WAV", "WAVEX"),
    "FLAC": ("FLAC",),
    "OGG": ("OGG",),
    "MP3": ("MP3",),
}  # libsndfile's names
_UNKNOWN_FRAMES = 2**62  # libsndfile gives 2^63 − 1 for a stream that does not say its length


@dataclass(frozen=True, eq=False)
class DecodedRecording:
    """One decoded file."""

    samples: Float32  # (n,) mono, 16 kHz, within [-1, 1]
    duration_s: float  # by the source's own count
    source_rate_hz: int
    source_channels: int


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is untyped
    """A sound file read from start to end: soundfile would seek after each block, streamed FLAC cannot."""

    def seekable(self) -> bool:
        return False


def decode(data: bytes, limits: AudioLimits) -> DecodedRecording:
    """Decodes WAV, FLAC, Ogg (Vorbis, Opus) or MP3, told apart by content.

    Channels are averaged. Integer samples scale to [-1, 1). A recording that goes beyond ±1 (float files,
    overshoot of lossy codecs and of resampling) is scaled down as a whole to a peak of 1, so nothing is
    clipped. Works in blocks: memory is bounded by `limits.max_seconds` at 16 kHz, however much the file would
    decode to.

    Raises:
        TooLarge: more bytes or more seconds than allowed.
        UnsupportedMedia: not one of these containers and codecs.
        InvalidAudio: empty, damaged, cut off, NaN or infinite samples, rate or channel count out of range.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(
            f"The file has {len(data)} bytes; at most {limits.max_bytes} are taken. Split or compress it."
        )
    if not data:
        raise InvalidAudio("The file is empty. Send a recording.")
    container = sniff(data)
    if container == "WAV":
        data = check_wav(data)
    elif container == "OGG":
        check_ogg(data)
    try:
        with _ForwardOnly(BytesIO(data)) as file:
            return _read(file, container, limits, exact_length=container != "MP3" or has_length_tag(data))
    except soundfile.SoundFileError as error:
        raise InvalidAudio(
            f"The {container} data is damaged and cannot be decoded. Export it again."
        ) from error


def _read(
    file: _ForwardOnly, container: Container, limits: AudioLimits, *, exact_length: bool
) -> DecodedRecording:
    if file.format not in _FORMATS[container]:
        raise UnsupportedMedia(
            f"Behind its ID3 tag the file is {file.format}, which is not read. Send plain WAV."
        )
    rate, channels, declared = file.samplerate, file.channels, file.frames
    if not limits.min_rate_hz <= rate <= limits.max_rate_hz:
        raise InvalidAudio(
            f"The sample rate is {rate} Hz; {limits.min_rate_hz} to {limits.max_rate_hz} Hz are taken. "
            "Resample it."
        )
    if not 1 <= channels <= limits.max_channels:
        raise InvalidAudio(
            f"The file has {channels} channels; 1 to {limits.max_channels} are taken. Mix it down."
        )
    if declared < _UNKNOWN_FRAMES:
        _check_seconds(declared, rate, limits)

    resampler = (
        soxr.ResampleStream(rate, SAMPLE_RATE_HZ, 1, dtype="float32") if rate != SAMPLE_RATE_HZ else None
    )
    parts: list[Float32] = []
    frames = 0
    for mono in _mono_blocks(file):
        frames += len(mono)
        _check_seconds(frames, rate, limits)
        parts.append(resampler.resample_chunk(mono) if resampler else mono)
    if resampler:
        parts.append(resampler.resample_chunk(np.empty(0, np.float32), last=True))

    if frames == 0:
        raise InvalidAudio("The file holds no audio at all. Send a recording.")
    if exact_length and frames < declared < _UNKNOWN_FRAMES:
        raise InvalidAudio(
            f"The {container} header declares {declared / rate:.2f} s, only {frames / rate:.2f} s could be "
            "decoded: the file is cut off or damaged. Send the whole file."
        )
    samples = np.concatenate(parts)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 1.0:
        samples /= peak
    return DecodedRecording(samples, frames / rate, rate, channels)


def _check_seconds(frames: int, rate: int, limits: AudioLimits) -> None:
    if frames > limits.max_seconds * rate:
        raise TooLarge(
            f"The recording is longer than {limits.max_seconds:g} s. Split it.",
            max_seconds=limits.max_seconds,
        )


def _mono_blocks(file: _ForwardOnly) -> Iterator[Float32]:
    """Yields (n,) blocks in file order, channels averaged."""
    block_frames = _BLOCK_SAMPLES // file.channels
    while True:
        block = file.read(block_frames, dtype="float32", always_2d=True)  # (n, channels)
        if len(block) == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused on the next line
            mono = block.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            raise InvalidAudio("The file holds NaN or infinite samples. Export it again.")
        yield mono
