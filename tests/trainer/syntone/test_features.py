from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor

from trainer.syntone.dataset import SynTone
from trainer.syntone.features import mel_features, waveforms


def test_amplitude_is_linear_in_the_features(grid: SynTone, features: Tensor) -> None:
    """Over all timbres and frequencies, on clips that the regression has not seen."""
    assert features.shape == (len(grid), 64, 32)
    order = np.random.default_rng(0).permutation(len(grid))
    fitted, tested = order[: len(grid) * 2 // 3], order[len(grid) * 2 // 3 :]
    frames = features.mean(2).numpy()
    line = LinearRegression().fit(frames[fitted], grid.factors[fitted, 1])
    assert line.score(frames[tested], grid.factors[tested, 1]) >= 0.99


def test_features_scale_with_amplitude_and_stay_in_range(grid: SynTone) -> None:
    clip = torch.from_numpy(grid.clips(grid.index([[3, 4, 7]])))
    loud, soft = mel_features(clip), mel_features(0.25 * clip)
    torch.testing.assert_close(soft, 0.25 * loud, atol=1e-4, rtol=1e-3)
    assert 0 <= loud.min() <= loud.max() <= 1
    assert mel_features(torch.zeros(1, 16_000)).abs().max() == 0


def test_higher_tones_lie_in_higher_bands(grid: SynTone, features: Tensor) -> None:
    sines = grid.index([[0, 4, level] for level in range(grid.frequencies)])
    bands = features[sines, 1:].mean(2).argmax(1)
    assert (bands.diff() >= 0).all()
    assert len(set(bands.tolist())) > grid.frequencies / 2


def test_features_become_a_sound_of_the_same_pitch_and_level(grid: SynTone, features: Tensor) -> None:
    loud = grid.index([[0, 4, level] for level in (4, 12)])  # sines
    sounds = waveforms(features[loud]).numpy()
    np.testing.assert_allclose(np.abs(sounds).max(axis=1), grid.factors[loud, 1], rtol=0.02)
    pitch_hz = np.abs(np.fft.rfft(sounds)).argmax(axis=1)  # one second: a bin is a Hertz
    np.testing.assert_allclose(pitch_hz, grid.factors[loud, 2], rtol=0.05)


def test_grid_features_are_those_of_its_clips(grid: SynTone, features: Tensor) -> None:
    some = np.random.default_rng(0).choice(len(grid), 20, replace=False)
    direct = mel_features(torch.from_numpy(grid.clips(some)))
    torch.testing.assert_close(features[some], direct, atol=1e-3, rtol=1e-3)
