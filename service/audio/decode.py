"""Bytes of an audio file → 16 kHz mono float32, within the limits on size, length, rate and channels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.channels import Mix, mix_down
from service.audio.files import open_file
from service.audio.limits import AudioLimits
from service.audio.readers import FfmpegReader, Source
from service.errors import InvalidAudio, TooLarge

_FULL_SCALE, _FLAT = 0.97, 0.003  # level of clipped samples, and how far neighbours among them differ
_DENORMAL = 1e-20  # far below any sound; smaller numbers are slow to compute with
_OPUS_RATE_HZ = 48_000
#: Channels are told apart while all of them together are this often as long as the longest recording.
_CHANNELS_KEPT = 2


@dataclass(frozen=True, eq=False)
class DecodedRecording:
    """One decoded file."""

    samples: Float32  # (n,) mono, 16 kHz, within [-1, 1]
    duration_s: float  # from the number of samples in the source
    source_rate_hz: int
    source_channels: int
    codec: str = ""  # FFmpeg's name of it
    clipped: float = 0.0  # share of the source's samples that stand at full scale, in a row
    warnings: tuple[str, ...] = ()  # what was done about its channels and tracks


def decode(data: bytes, limits: AudioLimits, ffmpeg: FfmpegReader | None = None) -> DecodedRecording:
    """Decodes a file of any format in docs/audio.md, recognised by content. All of it, or none.

    Channels are averaged where they hold the same sound; else the best is taken (`channels.mix_down`).
    Integer samples are scaled to [-1, 1). If a recording exceeds ±1, all of it is scaled down to a peak of
    1, so that nothing is clipped. Float files, lossy codecs and resampling do that. Decoding works in
    blocks, so twice `limits.max_seconds` at 16 kHz bounds the memory.

    Args:
        ffmpeg: reads what libsndfile cannot; without it, a reader for this file alone.

    Raises:
        TooLarge: more bytes or more seconds than allowed.
        UnsupportedMedia: another container.
        InvalidAudio: empty, damaged or cut off; NaN or infinite samples; rate or channels out of range.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(
            f"The file has {len(data)} bytes; the limit is {limits.max_bytes}. Split or compress it."
        )
    if not data:
        raise InvalidAudio("The file is empty. Send a recording.")
    with contextlib.ExitStack() as stack:
        if ffmpeg is None:
            ffmpeg = FfmpegReader()
            stack.callback(ffmpeg.close)
        return _read(stack.enter_context(open_file(data, limits, ffmpeg)), limits)


@dataclass(frozen=True, eq=False)
class DecodedParts:
    """A file that is decoded part by part, for recordings longer than memory."""

    parts: Iterator[Float32]  # (n,) each, mono, 16 kHz: the mean of all channels
    declared_s: float | None  # None where the header does not say


@contextlib.contextmanager
def decode_parts(data: bytes, limits: AudioLimits, ffmpeg: FfmpegReader) -> Iterator[DecodedParts]:
    """Decodes `data` as `decode` does, in parts of about a second. Raises what `decode` raises, also late."""
    with open_file(data, limits, ffmpeg) as sources:
        rate, channels = _checked(sources, limits)
        declared = [source.declared for source in sources]
        known = None if None in declared else sum(frames or 0 for frames in declared) / rate
        yield DecodedParts(_parts(sources, rate, channels, limits), known)


def _parts(sources: list[Source], rate: int, channels: int, limits: AudioLimits) -> Iterator[Float32]:
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE_HZ, 1, dtype="float32")
    frames = 0
    for block in _blocks(sources):
        frames += len(block)
        _check_seconds(frames, rate, limits)
        yield resampler.resample_chunk(block.mean(axis=1) if channels > 1 else block[:, 0])
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def _read(sources: list[Source], limits: AudioLimits) -> DecodedRecording:
    rate, channels = _checked(sources, limits)
    codec = sources[0].codec
    decoded = _Decoded(rate, channels, round(_CHANNELS_KEPT * limits.max_seconds * SAMPLE_RATE_HZ))
    clipping = _Clipping()
    for block in _blocks(sources):
        decoded.add(block)
        _check_seconds(decoded.frames, rate, limits)
        clipping.add(block)
    if decoded.frames == 0:
        raise InvalidAudio("The file holds no audio. Send a recording.")
    mix = decoded.mixed()
    warnings = list(mix.warnings)
    if sources[0].tracks > 1:
        warnings.append(f"The file has {sources[0].tracks} audio tracks; the main one was used.")
    peak = float(np.abs(mix.samples).max(initial=0.0))
    samples = mix.samples / np.float32(peak) if peak > 1.0 else mix.samples
    return DecodedRecording(
        samples,
        decoded.frames / rate,
        _OPUS_RATE_HZ if codec == "opus" else rate,
        channels,
        codec,
        clipping.share,
        tuple(warnings),
    )


def _checked(sources: list[Source], limits: AudioLimits) -> tuple[int, int]:
    """Rate and channels of sources within the limits. Raises InvalidAudio or TooLarge."""
    rate, channels = sources[0].rate_hz, sources[0].channels
    if not limits.min_rate_hz <= rate <= limits.max_rate_hz:
        raise InvalidAudio(
            f"The sample rate is {rate} Hz; it must be {limits.min_rate_hz} to {limits.max_rate_hz} Hz. "
            "Resample the file."
        )
    if not 1 <= channels <= limits.max_channels:
        raise InvalidAudio(
            f"The file has {channels} channels; the limit is {limits.max_channels}. Mix it down."
        )
    _check_seconds(sum(source.declared or 0 for source in sources), rate, limits)
    return rate, channels


def _blocks(sources: list[Source]) -> Iterator[Float32]:
    """Finite blocks (n, channels) of all sources, one after the other."""
    for source in sources:
        for block in source.blocks:
            if not np.isfinite(block).all():
                raise InvalidAudio("The file holds NaN or infinite samples. Export it again.")
            yield np.where(np.abs(block) < _DENORMAL, np.float32(0), block)


def _check_seconds(frames: int, rate: int, limits: AudioLimits) -> None:
    if frames > limits.max_seconds * rate:
        raise TooLarge(
            f"The recording is longer than {limits.max_seconds:g} s. Split it.",
            max_seconds=limits.max_seconds,
        )


class _Decoded:
    """What was decoded so far, at 16 kHz: all channels, or their mean where that would be too much."""

    def __init__(self, rate_hz: int, channels: int, most_samples: int) -> None:
        self.frames = 0  # samples a channel, at the source's rate
        self._rate_hz = rate_hz
        self._channels = channels
        self._most = most_samples
        self._samples = 0
        self._averaged = False
        self._parts: list[Float32] = []
        self._resampler = (
            soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, channels, dtype="float32")
            if rate_hz != SAMPLE_RATE_HZ
            else None
        )

    def add(self, block: Float32) -> None:
        """Takes a block (n, channels)."""
        self.frames += len(block)
        self._keep(self._resampler.resample_chunk(block) if self._resampler else block)

    def _keep(self, block: Float32) -> None:
        self._samples += block.size
        if self._samples > self._most and not self._averaged:
            self._averaged = True
            self._parts = [part.mean(axis=1, keepdims=True) for part in self._parts]
        self._parts.append(block.mean(axis=1, keepdims=True) if self._averaged else block)

    def mixed(self) -> Mix:
        """One channel, after the last block."""
        if self._resampler:
            self._keep(self._resampler.resample_chunk(np.empty((0, self._channels), np.float32), last=True))
        mix = mix_down(np.concatenate(self._parts))
        if self._averaged:
            words = f"The mean of {self._channels} channels was used: they are too long to be compared."
            return Mix(mix.samples, (*mix.warnings, words))
        return mix


class _Clipping:
    """Counts samples that stand at full scale: at the same extreme value, several in a row."""

    def __init__(self) -> None:
        self._clipped = self._samples = 0

    def add(self, block: Float32) -> None:
        """Takes a block (n, channels)."""
        self._samples += block.size
        loud = np.abs(block) >= _FULL_SCALE
        if not loud.any():
            return
        level = np.abs(np.diff(block, axis=0)) <= _FLAT
        held = loud[1:] & loud[:-1] & level  # (n - 1, channels)
        self._clipped += int(held.sum())

    @property
    def share(self) -> float:
        """Clipped samples of all samples."""
        return self._clipped / self._samples if self._samples else 0.0
