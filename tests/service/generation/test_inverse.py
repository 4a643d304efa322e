"""Spectrogram → waveform, checked by the spectrogram of the waveform."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from bundle.arrays import Float32, Float64
from bundle.generator import SpectrogramScale
from service.generation.inverse import PEAK, SpectrogramInverse, istft, periodic_window, stft

PAPER = SpectrogramScale(16_000, 512, 128, 10.0, "hamming")
TAPERED = SpectrogramScale(16_000, 512, 128, 10.0)
SMALL = SpectrogramScale(8_000, 256, 128, 10.0)


def magnitude(samples: Float64, scale: SpectrogramScale) -> Float64:
    """(16000,) at 16 kHz → |STFT| (bins, frames) as in docs/gaae.md: frame m is centred on sample m · hop."""
    if scale.sample_rate_hz != 16_000:
        samples = soxr.resample(samples, 16_000, scale.sample_rate_hz)
    frames = scale.sample_rate_hz // 125
    total = (frames - 1) * scale.hop + scale.window
    padded = np.pad(samples, (scale.window // 2, total))[:total]
    window = periodic_window(scale.window_shape, scale.window)
    return np.abs(stft(padded, window, scale.hop))[:-1]


def standardised(samples: Float64, scale: SpectrogramScale) -> Float32:
    actual = magnitude(samples, scale)
    log = np.log(np.maximum(actual / actual.max(), np.exp(-scale.r)))
    return (log / (scale.r / 2) + 1).astype(np.float32)


def convergence_db(samples: Float64, waveform: Float32, scale: SpectrogramScale) -> float:
    wanted, actual = magnitude(samples, scale), magnitude(waveform.astype(np.float64), scale)
    actual *= np.sum(wanted * actual) / np.sum(actual**2)  # the level is not in the spectrogram
    return float(20 * np.log10(np.linalg.norm(actual - wanted) / np.linalg.norm(wanted)))


@pytest.fixture(scope="module")
def words(corpora: Path) -> list[Float64]:
    paths = sorted((corpora / "arabic_speech_commands" / "audio").glob("*/*"))
    return [np.resize(soundfile.read(path)[0], 16_000) for path in paths[:: len(paths) // 10]]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("scale", [PAPER, TAPERED, SMALL], ids=["paper", "tapered", "small"])
def test_words_come_back(words: list[Float64], scale: SpectrogramScale) -> None:
    inverse = SpectrogramInverse(scale)
    refined = SpectrogramInverse(scale, griffin_lim=8)
    first, better = [], []
    for samples in words:
        g = standardised(samples, scale)
        assert g.shape == (scale.window // 2, scale.sample_rate_hz // 125)
        waveform = inverse.waveform(g, rng())
        assert (waveform.shape, waveform.dtype) == ((16_000,), np.float32)
        assert np.abs(waveform).max() == pytest.approx(PEAK)
        first.append(convergence_db(samples, waveform, scale))
        better.append(convergence_db(samples, refined.waveform(g, rng()), scale))
    assert np.mean(first) <= -15
    assert np.mean(better) < np.mean(first) - 1


def test_a_burst_stays_where_it_was() -> None:
    time = np.arange(16_000.0)
    samples = np.exp(-(((time - 5000) / 600) ** 2)) * np.sin(time / 4)
    for scale in (PAPER, TAPERED, SMALL):
        energy = SpectrogramInverse(scale).waveform(standardised(samples, scale), rng()).astype(float) ** 2
        assert np.average(time, weights=energy) == pytest.approx(5000, abs=16)


def test_same_state_same_samples_and_what_is_out_of_range_is_clipped() -> None:
    g = np.random.default_rng(3).uniform(-1, 1, (256, 128)).astype(np.float32)
    inverse = SpectrogramInverse(TAPERED)
    np.testing.assert_array_equal(inverse.waveform(g, rng()), inverse.waveform(g, rng()))
    beyond = np.where(g > 0, 5, -5).astype(np.float32)
    np.testing.assert_array_equal(
        inverse.waveform(beyond, rng()), inverse.waveform(np.clip(beyond, -1, 1), rng())
    )


@pytest.mark.parametrize(("window", "hop"), [(512, 128), (256, 64), (96, 36)])
def test_istft_inverts_stft(window: int, hop: int) -> None:
    samples = np.random.default_rng(0).normal(size=window + 20 * hop)
    shape = periodic_window("hamming", window)
    again = istft(stft(samples, shape, hop), shape, hop)
    assert again.shape == samples.shape
    np.testing.assert_allclose(again, samples, atol=1e-9)
