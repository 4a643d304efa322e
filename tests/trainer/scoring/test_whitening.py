from __future__ import annotations

import numpy as np
import pytest

from trainer.scoring.whitening import fit_whitening

VOICES, CROPS = 60, 20


def recordings(rng: np.random.Generator, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Voices differ along axes 0 and 2, far more along 0; content moves axis 1 ten times as much as
    either."""
    voice = rng.normal(size=(VOICES, 1, 4)) * [5, 0, 1, 0]
    content = rng.normal(size=(VOICES, CROPS, 4)) * [0.5, 30, 0.5, 0.5]
    x = (scale * (voice + content)).reshape(-1, 4).astype(np.float32)
    return x, np.repeat(np.arange(VOICES), CROPS)


def spreads(x: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations by axis: of crops within recordings, and of the recordings' means."""
    means = np.stack([x[index == i].mean(axis=0) for i in range(VOICES)])
    return (x - means[index]).std(axis=0), means.std(axis=0)


def test_the_voice_decides_and_content_does_not() -> None:
    x, index = recordings(np.random.default_rng(0))
    whitening = fit_whitening(x, index)
    _, before = spreads(x, index)
    assert before.argmax() == 1  # content: the means of 20 crops still move most along axis 1
    within, between = spreads((x - whitening.mean) @ whitening.matrix, index)
    assert between.argmax() == 0
    assert within[1] < between[0]  # it was six times as large


def test_the_loudest_direction_between_voices_leaves_room_for_finer_ones() -> None:
    x, index = recordings(np.random.default_rng(1))
    whitening = fit_whitening(x, index)
    (_, before), (_, after) = spreads(x, index), spreads((x - whitening.mean) @ whitening.matrix, index)
    assert after[2] / after[0] > 1.5 * before[2] / before[0]


def test_corpora_count_alike_whatever_their_size_and_offset() -> None:
    rng = np.random.default_rng(2)
    (x, index), (y, other) = recordings(rng), recordings(rng)
    alone = fit_whitening(x, index).matrix
    few = other < 10
    both = fit_whitening(
        np.concatenate([x, y[few] + 1000]),
        np.concatenate([index, other[few] + VOICES]),
        ["x"] * len(x) + ["y"] * int(few.sum()),
    ).matrix
    np.testing.assert_allclose(np.abs(both).max(), np.abs(alone).max(), rtol=0.3)


def test_recordings_of_one_crop_are_not_enough() -> None:
    with pytest.raises(ValueError, match="two crops"):
        fit_whitening(np.ones((3, 4), np.float32), np.arange(3))
