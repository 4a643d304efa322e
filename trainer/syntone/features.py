"""Clips → mel-spectrograms (Brima et al., appendix A.1: window 2024, hop 512) that keep amplitude.

The authors divide each frame by its maximum, and with that the amplitude is gone. Left out, the division
leaves it in, but not so that it can be read off: how much magnitude a waveform of peak 1 has depends on its
timbre and frequency (a linear regression from plain mel bands explains half of its variance). So a frame
here is the shape of its spectrum, of maximum 1, times its *level*, the peak of the samples under its window;
and the level itself is the first row, as the energy often stands beside the coefficients of speech features.
The shape is the square root of the mel magnitude: as magnitudes, upper harmonics would be too faint to
matter in a squared error.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from trainer.syntone.dataset import CLIP_SAMPLES, SAMPLE_RATE_HZ, SynTone

WINDOW, HOP = 2024, 512  # samples
ROWS = 64  # the level and 63 mel bands from 0 to 8000 Hz
FRAMES = CLIP_SAMPLES // HOP + 1  # 32, each centred on its hop
_BATCH = 256


def mel_features(waveforms: Tensor) -> Tensor:
    """(batch, 16000) → (batch, 64, 32): rows × frames, all in [0, 1]; silence is 0."""
    magnitude = torch.stft(
        waveforms, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True
    ).abs()  # (batch, bins, frames), the ends extended by reflection
    filters = melscale_fbanks(WINDOW // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, ROWS - 1, SAMPLE_RATE_HZ)
    shape = (filters.T @ magnitude).sqrt()  # (batch, bands, frames)
    shape = shape / shape.amax(1, keepdim=True).clamp(min=1e-9)
    padded = F.pad(waveforms, (WINDOW // 2, WINDOW // 2))
    level = F.max_pool1d(padded.abs()[:, None], WINDOW, HOP)[..., :FRAMES]  # (batch, 1, frames)
    return torch.cat([level, level * shape], dim=1)


def grid_features(grid: SynTone) -> Tensor:
    """(clips, 64, 32) of the whole grid, in its order: 262 MB for 32,000 clips.

    Features scale with the clip: those of the loudest are computed, and scaled to the other amplitudes.
    """
    timbres, amplitudes, frequencies = grid.shape
    loudest = grid.levels[:, 1] == amplitudes - 1
    batches = torch.split(torch.from_numpy(np.flatnonzero(loudest)), _BATCH)
    features = torch.cat([mel_features(torch.from_numpy(grid.clips(batch))) for batch in batches])
    peaks = torch.from_numpy(np.unique(grid.factors[:, 1])).float()
    by_factor = features.reshape(timbres, 1, frequencies, ROWS, FRAMES)
    return (by_factor * peaks[:, None, None, None]).flatten(0, 2)
