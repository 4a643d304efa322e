"""Spectrograms back to sound by Griffin and Lim, for classifiers of audio. The service itself has PGHI."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import griffinlim, resample

from bundle.audio import SAMPLE_RATE_HZ
from trainer.gaae.spectrogram import WINDOWS, SpectrogramSettings

ROUNDS = 32
PEAK = 0.9


@torch.no_grad()
def waveforms(spectrograms: Tensor, settings: SpectrogramSettings) -> Tensor:
    """(n, bins, frames) in [−1, 1] → (n, 16000) at 16 kHz, the loudest sample of each at 0.9.

    |STFT| = exp((r / 2)(g − 1)), as docs/gaae.md has it. The phase is a fast Griffin-Lim's, without chance.
    """
    magnitude = torch.exp(settings.r / 2 * (spectrograms - 1))
    nyquist = torch.full_like(magnitude[:, :1], float(torch.exp(torch.tensor(-settings.r))))
    sound = griffinlim(
        torch.cat([magnitude, nyquist], dim=1),  # (n, bins + 1, frames)
        WINDOWS[settings.window_shape](settings.window, device=magnitude.device),
        settings.window,
        settings.hop,
        settings.window,
        power=1.0,
        n_iter=ROUNDS,
        momentum=0.99,
        length=None,  # as many frames as there are
        rand_init=False,
    )
    missing = max(settings.sample_rate_hz - sound.shape[1], 0)
    sound = F.pad(sound, (0, missing))[:, : settings.sample_rate_hz]
    sound = resample(sound, settings.sample_rate_hz, SAMPLE_RATE_HZ)
    scaled: Tensor = PEAK * sound / sound.abs().amax(dim=1, keepdim=True).clamp(min=1e-9)
    return scaled
