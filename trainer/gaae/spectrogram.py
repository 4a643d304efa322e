"""Waveform → log-magnitude spectrogram in [−1, 1], as a module that is exported inside the ONNX graphs.

GAAE, section IV-B. Its "512 ms, 128 ms" have to be samples: only those give 256 × 128 for one second at
16 kHz. The scaling is TiFGAN's, its reference [67]. It bounds the values, so the paper's standardising is
left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.frontends import FoldedDft, cut_windows, power_spectrum

WAVEFORM_SAMPLES = SAMPLE_RATE_HZ  # one second
TINY_POWER = 1e-12  # keeps digital silence from dividing by 0
WINDOWS = {"hann": torch.hann_window, "hamming": torch.hamming_window}  # periodic
RESAMPLING_ZEROS = 32  # of the low-pass's sinc, on either side


@dataclass(frozen=True)
class SpectrogramSettings:
    """One second as `bins` × `frames` numbers."""

    sample_rate_hz: int = 16_000
    window: int = 512  # samples, also the FFT length
    hop: int = 128  # samples
    bins: int = 256  # window / 2: the Nyquist bin is dropped
    frames: int = 128
    r: float = 10.0  # nepers below the loudest point at which the spectrogram ends
    window_shape: str = "hamming"  # the paper's; with hann the side lobes fall below r


class NormalisedLogSpectrogram(nn.Module):
    """(batch, 16000 samples) at 16 kHz → (batch, bins, frames); 1 is the loudest point, −1 is r nepers below.

    Zeros fill the second up to frames · hop samples. Frame m is centred on sample m · hop.

    Raises:
        ValueError: the settings do not give one second.
    """

    def __init__(self, settings: SpectrogramSettings) -> None:
        super().__init__()
        self.settings = s = settings
        if (
            SAMPLE_RATE_HZ % s.sample_rate_hz
            or s.bins != s.window // 2
            or s.frames * s.hop < s.sample_rate_hz
        ):
            raise ValueError(
                f"{s} does not fit one second: bins has to be window / 2, frames · hop at least the rate, "
                f"and the rate a divisor of {SAMPLE_RATE_HZ}."
            )
        self.factor = SAMPLE_RATE_HZ // s.sample_rate_hz
        self.low_pass: Tensor
        self.window: Tensor
        self.register_buffer("low_pass", _low_pass(self.factor), persistent=False)
        self.register_buffer("window", WINDOWS[s.window_shape](s.window), persistent=False)
        self.dft = FoldedDft(s.window)

    def forward(self, waveform: Tensor) -> Tensor:
        s = self.settings
        if self.factor > 1:
            side = self.low_pass.shape[-1] // 2
            waveform = F.conv1d(waveform[:, None], self.low_pass, stride=self.factor, padding=side)[:, 0]
        left = s.window // 2
        right = (s.frames - 1) * s.hop + s.window - left - s.sample_rate_hz
        windows = cut_windows(F.pad(waveform, (left, right)), s.window, s.hop)  # (batch, frames, window)
        power = power_spectrum(windows * self.window, self.dft)  # (batch, frames, bins + 1)
        loudest = power.amax(dim=(1, 2), keepdim=True).clamp(min=TINY_POWER)
        floor = math.exp(-2 * s.r)
        nepers = 0.5 * (power / loudest).clamp(min=floor).log()
        scaled = nepers / (s.r / 2) + 1
        return scaled[:, :, : s.bins].transpose(1, 2)


def _low_pass(factor: int) -> Tensor:
    """Windowed sinc (1, 1, taps), cut a little below the Nyquist frequency of a rate `factor` times lower."""
    half = RESAMPLING_ZEROS * factor
    n = torch.arange(-half, half + 1, dtype=torch.float64)
    taps = torch.sinc(0.95 * n / factor) * torch.kaiser_window(2 * half + 1, False, 8.0, dtype=torch.float64)
    return (taps / taps.sum()).float()[None, None]
