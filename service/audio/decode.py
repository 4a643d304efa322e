"""Bytes of an audio file → 16 kHz mono float32, within the limits on size, length, rate and channels."""

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

_BLOCK_SAMPLES = 65_536  # decoded at once at the source's rate, all channels together
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
    duration_s: float  # from the number of samples in the source
    source_rate_hz: int
    source_channels: int


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is untyped
    """A sound file read from start to end. soundfile would seek after each block; streamed FLAC cannot."""

    def seekable(self) -> bool:
        return False


def decode(data: bytes, limits: AudioLimits) -> DecodedRecording:
    """Decodes WAV, FLAC, Ogg (Vorbis, Opus) or MP3, recognised by content.

    Channels are averaged. Integer samples are scaled to [-1, 1). If a recording exceeds ±1, all of it is
    scaled down to a peak of 1, so that nothing is clipped. Float files, lossy codecs and resampling do that.
    Decoding works in blocks, so `limits.max_seconds` at 16 kHz bounds the memory.

    Raises:
        TooLarge: more bytes or more seconds than allowed.
        UnsupportedMedia: another container or codec.
        InvalidAudio: empty, damaged or cut off; NaN or infinite samples; rate or channels out of range.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(
            f"The file has {len(data)} bytes; the limit is {limits.max_bytes}. Split or compress it."
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
            f"After its ID3 tag the file is {file.format}, which is not supported. Send plain WAV."
        )
    rate, channels, declared = file.samplerate, file.channels, file.frames
    if not limits.min_rate_hz <= rate <= limits.max_rate_hz:
        raise InvalidAudio(
            f"The sample rate is {rate} Hz; it must be {limits.min_rate_hz} to {limits.max_rate_hz} Hz. "
            "Resample the file."
        )
    if not 1 <= channels <= limits.max_channels:
        raise InvalidAudio(
            f"The file has {channels} channels; the limit is {limits.max_channels}. Mix it down."
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
        raise InvalidAudio("The file holds no audio. Send a recording.")
    if exact_length and frames < declared < _UNKNOWN_FRAMES:
        raise InvalidAudio(
            f"The file is cut off or damaged: its {container} header declares {declared / rate:.2f} s, but "
            f"only {frames / rate:.2f} s could be decoded. Send the whole file."
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
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is refused below
            mono = block.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            raise InvalidAudio("The file holds NaN or infinite samples. Export it again.")
        yield mono
