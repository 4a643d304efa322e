"""The front-end against torch's and scipy's STFT, on real speech."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
import soxr
import torch

from trainer.gaae.settings import PRESETS
from trainer.gaae.spectrogram import NormalisedLogSpectrogram, SpectrogramSettings


def by_torch(waveform: torch.Tensor, s: SpectrogramSettings) -> torch.Tensor:
    """docs/gaae.md, read literally."""
    window = getattr(torch, f"{s.window_shape}_window")(s.window)
    padded = torch.nn.functional.pad(waveform, (0, s.frames * s.hop - waveform.shape[1]))
    stft = torch.stft(
        padded, s.window, s.hop, window=window, center=True, pad_mode="constant", return_complex=True
    )
    magnitude = stft.abs()[:, :, : s.frames]
    loudest = magnitude.amax(dim=(1, 2), keepdim=True)
    g = torch.log(torch.clamp(magnitude / loudest, min=np.exp(-s.r))) / (s.r / 2) + 1
    return g[:, : s.bins]


@pytest.mark.parametrize("shape", ["hann", "hamming"])
def test_it_is_torchs_stft_scaled(seconds: torch.Tensor, shape: str) -> None:
    s = replace(PRESETS["paper"].spectrogram, window_shape=shape)
    got = NormalisedLogSpectrogram(s)(seconds)
    assert got.shape == (6, 256, 128)
    torch.testing.assert_close(got, by_torch(seconds, s), atol=2e-4, rtol=0)
    assert float(got.amax()) == 1
    assert float(got.amin()) >= -1
    assert float(got.std()) > 0.2  # speech fills the range


def test_it_is_scipys_stft_scaled(seconds: torch.Tensor) -> None:
    s = PRESETS["paper"].spectrogram
    padded = np.pad(seconds[0].numpy(), (0, s.frames * s.hop - 16_000))
    _, _, stft = scipy.signal.stft(
        padded, nperseg=s.window, noverlap=s.window - s.hop, window="hamming", boundary="zeros"
    )
    magnitude = np.abs(stft)[:, : s.frames]
    g = np.log(np.maximum(magnitude / magnitude.max(), np.exp(-s.r))) / (s.r / 2) + 1
    np.testing.assert_allclose(NormalisedLogSpectrogram(s)(seconds[:1])[0].numpy(), g[: s.bins], atol=2e-4)


def test_small_hears_what_a_good_resampler_leaves_at_8_khz(seconds: torch.Tensor) -> None:
    s = PRESETS["small"].spectrogram
    resampled = np.stack([soxr.resample(row, 16_000, 8_000, quality="VHQ") for row in seconds.numpy()])
    expected = by_torch(torch.from_numpy(resampled), s)
    got = NormalisedLogSpectrogram(s)(seconds)
    assert got.shape == (6, 128, 64)
    below = slice(0, int(0.85 * s.bins))  # the two low-pass filters differ at the very top
    assert float((got - expected)[:, below].abs().mean()) < 0.01
    # Near the floor a hair of difference is many nepers; where there is sound there is none.
    audible = expected[:, below] > -0.4
    assert float((got - expected)[:, below][audible].abs().max()) < 0.02


def test_nothing_above_4_khz_folds_back_into_small() -> None:
    time_s = torch.arange(16_000) / 16_000
    low, high = torch.sin(2 * torch.pi * 1000 * time_s), torch.sin(2 * torch.pi * 5000 * time_s)
    module = NormalisedLogSpectrogram(PRESETS["small"].spectrogram)
    inner = slice(2, -4)  # a sine that begins or ends has every frequency
    both, alone = (module(x[None])[0, :, inner].mean(dim=1) for x in (low + high, low))
    assert int(both.argmax()) == round(1000 / 31.25)
    assert float(both[round(3000 / 31.25)]) < -0.7  # where 5 kHz would fold to: 8.5 nepers, 74 dB below
    assert float((both - alone).abs().max()) < 0.3


def test_the_level_makes_no_difference_and_silence_is_the_floor(seconds: torch.Tensor) -> None:
    module = NormalisedLogSpectrogram(PRESETS["paper"].spectrogram)
    # A power of two changes no digit of a sample.
    torch.testing.assert_close(module(0.125 * seconds), module(seconds), atol=2e-4, rtol=0)
    assert torch.equal(module(torch.zeros(1, 16_000)), -torch.ones(1, 256, 128))


def test_a_spectrogram_that_does_not_hold_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit one second"):
        NormalisedLogSpectrogram(SpectrogramSettings(frames=64))
