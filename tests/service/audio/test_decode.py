"""Decoding keeps the signal, and every limit holds."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from service.audio import AudioLimits, decode
from service.errors import InvalidAudio, TooLarge
from tests.service.signals import encode, noise, silent_flac, tone, undeclare_flac_length

# Least correlation with the original, and how far samples may be off.
ENCODINGS = [
    ("WAV", "PCM_U8", 0.99, 1 / 127),
    ("WAV", "PCM_16", 0.9999, 1e-4),
    ("WAV", "PCM_24", 0.9999, 1e-6),
    ("WAV", "PCM_32", 0.9999, 1e-6),
    ("WAV", "FLOAT", 0.9999, 0.0),
    ("WAV", "DOUBLE", 0.9999, 0.0),
    ("WAV", "ULAW", 0.999, 0.02),
    ("WAV", "ALAW", 0.999, 0.02),
    ("WAVEX", "PCM_24", 0.9999, 1e-6),
    ("FLAC", "PCM_16", 0.9999, 1e-4),
    ("FLAC", "PCM_24", 0.9999, 1e-6),
    ("OGG", "VORBIS", 0.99, 0.1),
    ("OGG", "OPUS", 0.99, 0.1),
    ("MP3", "MPEG_LAYER_III", 0.99, 0.1),
]


@pytest.mark.parametrize(("container", "subtype", "correlation", "error"), ENCODINGS)
def test_keeps_scale_and_alignment(container: str, subtype: str, correlation: float, error: float) -> None:
    original = tone()
    recording = decode(encode(original, container=container, subtype=subtype), AudioLimits())
    assert recording.samples.dtype == np.float32
    assert recording.samples.shape == original.shape
    assert np.corrcoef(recording.samples, original)[0, 1] >= correlation
    inner = slice(2000, -2000)  # lossy codecs ring at the ends
    assert np.abs(recording.samples - original)[inner].max() <= error


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 191999, 192000])
def test_resamples_without_delay(rate: int) -> None:
    recording = decode(encode(tone(rate=rate), rate, subtype="FLOAT"), AudioLimits())
    assert recording.source_rate_hz == rate
    assert recording.duration_s == pytest.approx(2.0, abs=1e-4)
    assert len(recording.samples) == pytest.approx(32_000, abs=2)
    inner = slice(1000, 31_000)
    np.testing.assert_allclose(recording.samples[inner], tone()[inner], atol=2e-3)


def test_blocks_do_not_show() -> None:
    """A file longer than one decoding block, in many channels, resamples like the whole at once."""
    original = tone(6, 48_000)
    recording = decode(encode(np.tile(original[:, None], (1, 8)), 48_000, subtype="FLOAT"), AudioLimits())
    inner = slice(1000, -1000)
    np.testing.assert_allclose(recording.samples[inner], tone(6)[inner], atol=2e-3)


def test_averages_channels_of_the_same_sound() -> None:
    left = tone()
    recording = decode(encode(np.stack([left, left / 2], axis=1), subtype="FLOAT"), AudioLimits())
    assert recording.source_channels == 2
    np.testing.assert_allclose(recording.samples, 0.75 * left, atol=1e-6)


def test_scales_down_what_exceeds_one() -> None:
    loud = decode(encode(10 * tone(), subtype="FLOAT"), AudioLimits()).samples
    np.testing.assert_allclose(loud, 2 * tone(), atol=1e-3)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
def test_refuses_hours_without_their_memory(declared: bool) -> None:
    data = silent_flac(3) if declared else undeclare_flac_length(silent_flac(3))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="longer than 60 s"):
            decode(data, AudioLimits(max_seconds=60))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20, "three hours at 8 kHz are 345 MB of float32"


def test_limits_are_inclusive() -> None:
    data = encode(noise(2))
    limits = AudioLimits(
        max_bytes=len(data), max_seconds=2.0, min_rate_hz=16_000, max_rate_hz=16_000, max_channels=1
    )
    assert decode(data, limits).duration_s == 2.0


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (AudioLimits(max_bytes=1000), TooLarge),
        (AudioLimits(max_seconds=1.999), TooLarge),
        (AudioLimits(min_rate_hz=16_001), InvalidAudio),
        (AudioLimits(max_rate_hz=15_999), InvalidAudio),
        (AudioLimits(max_channels=0), InvalidAudio),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_each_limit_refuses(limits: AudioLimits, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode(encode(noise(2)), limits)
