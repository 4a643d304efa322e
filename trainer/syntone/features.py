"""Clips → mel-spectrograms (Brima et al., appendix A.1: window 2024, hop 512) that keep amplitude.

The authors divide each frame by its maximum, which removes the amplitude. Plain mel bands would not do
either: the magnitude of a waveform of peak 1 depends on its timbre and frequency. A linear regression from
them explains only half of the amplitude's variance.

Here a frame is the shape of its spectrum, of maximum 1, times its *level*: the peak of the samples under its
window. The level is also the first row, as energy often stands beside the coefficients of speech features.
The shape is the square root of the mel magnitude. Without the root, upper harmonics would be too faint to
matter in a squared error.

Phase is not in the features. `waveforms` makes sound of them all the same, with a phase that the algorithm
of Griffin and Lim finds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import griffinlim, melscale_fbanks

from trainer.syntone.dataset import CLIP_SAMPLES, SAMPLE_RATE_HZ, SynTone

WINDOW, HOP = 2024, 512  # samples
ROWS = 64  # the level and 63 mel bands from 0 to 8000 Hz
FRAMES = CLIP_SAMPLES // HOP + 1  # 32, each centred on its hop
GRIFFIN_LIM_ROUNDS = 60
_BATCH = 256


def mel_features(sound: Tensor) -> Tensor:
    """(batch, 16000) → (batch, 64, 32): rows × frames, all in [0, 1]; silence is 0."""
    magnitude = torch.stft(
        sound, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True
    ).abs()  # (batch, bins, frames), the ends extended by reflection
    shape = (_filters() @ magnitude).sqrt()  # (batch, bands, frames)
    shape = shape / shape.amax(1, keepdim=True).clamp(min=1e-9)
    padded = F.pad(sound, (WINDOW // 2, WINDOW // 2))
    level = F.max_pool1d(padded.abs()[:, None], WINDOW, HOP)[..., :FRAMES]  # (batch, 1, frames)
    return torch.cat([level, level * shape], dim=1)


def waveforms(features: Tensor) -> Tensor:
    """(batch, 64, 32) → (batch, 16000): `mel_features` back, up to phase and what mel bands leave out."""
    level = features[:, :1].clamp(min=0)  # (batch, 1, frames)
    mel = (features[:, 1:] / level.clamp(min=1e-3)).clamp(min=0).square()
    magnitude = (torch.linalg.pinv(_filters()) @ mel).clamp(min=0)  # (batch, bins, frames)
    sound = griffinlim(
        magnitude,
        torch.hann_window(WINDOW),
        WINDOW,
        HOP,
        WINDOW,
        power=1.0,
        n_iter=GRIFFIN_LIM_ROUNDS,
        momentum=0.99,
        length=CLIP_SAMPLES,
        rand_init=False,
    )
    peak = sound.abs().amax(1, keepdim=True).clamp(min=1e-9)
    scaled: Tensor = sound / peak * level.amax(2)
    return scaled


def _filters() -> Tensor:
    """(bands, bins) of the mel scale."""
    filters: Tensor = melscale_fbanks(WINDOW // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, ROWS - 1, SAMPLE_RATE_HZ)
    return filters.T


def grid_features(grid: SynTone) -> Tensor:
    """(clips, 64, 32) of the whole grid, in its order: 262 MB for 32,000 clips.

    Features scale with the clip. So those of the loudest clips are computed, then scaled to other amplitudes.
    """
    timbres, amplitudes, frequencies = grid.shape
    loudest = grid.levels[:, 1] == amplitudes - 1
    batches = torch.split(torch.from_numpy(np.flatnonzero(loudest)), _BATCH)
    features = torch.cat([mel_features(torch.from_numpy(grid.clips(batch))) for batch in batches])
    peaks = torch.from_numpy(np.unique(grid.factors[:, 1])).float()
    by_factor = features.reshape(timbres, 1, frequencies, ROWS, FRAMES)
    return (by_factor * peaks[:, None, None, None]).flatten(0, 2)
