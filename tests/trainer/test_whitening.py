from __future__ import annotations

import numpy as np
import pytest

from trainer.whitening import fit_whitening


def recordings(rng: np.random.Generator, voices: int = 40, crops: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Voices differ along axis 0 alone; content moves axis 1 ten times as much."""
    voice = rng.normal(size=(voices, 1, 4)) * [1, 0, 0, 0]
    content = rng.normal(size=(voices, crops, 4)) * [0.2, 10, 0.2, 0.2]
    return (voice + content).reshape(-1, 4).astype(np.float32), np.repeat(np.arange(voices), crops)


def test_what_varies_within_a_recording_becomes_white() -> None:
    x, index = recordings(np.random.default_rng(0))
    whitening = fit_whitening(x, index, shrinkage=0.0)
    y = (x - whitening.mean) @ whitening.matrix
    residual = y - np.stack([y[index == i].mean(axis=0) for i in range(40)])[index]
    np.testing.assert_allclose(residual.T @ residual / (len(y) - 40), np.eye(4), atol=1e-3)


def test_the_voice_decides_afterwards() -> None:
    x, index = recordings(np.random.default_rng(1))
    whitening = fit_whitening(x, index, shrinkage=1e-4)
    y = (x - whitening.mean) @ whitening.matrix
    between = [z[index == i].mean(axis=0) for z in (x, y) for i in range(40)]
    loudest = [int(np.var(part, axis=0).argmax()) for part in (between[:40], between[40:])]
    assert loudest == [1, 0]


def test_recordings_of_one_crop_are_not_enough() -> None:
    with pytest.raises(ValueError, match="two crops"):
        fit_whitening(np.ones((3, 4), np.float32), np.arange(3))
