from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.arrays import Float32
from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.barlow_twins.supervised import train_supervised

TINY = BarlowTwinsSettings(width=4, batch=8, peak_rate=1e-2)


def tones(seed: int, n: int = 24) -> tuple[Float32, NDArray[np.intp]]:
    """Class 0 below 1 kHz, class 1 above 3 kHz."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    hz = rng.uniform(300, 900, n) + 3000 * labels
    time_s = np.arange(16384) / 16_000
    crops = 0.3 * np.sin(2 * np.pi * hz[:, None] * time_s) + 0.01 * rng.normal(size=(n, 16384))
    return crops.astype(np.float32), labels.astype(np.intp)


@pytest.mark.parametrize("augment", [False, True])
def test_learns_what_a_line_could_tell(augment: bool) -> None:
    crops, labels = tones(0)
    network = train_supervised(TINY, crops, labels, 2, steps=60, augment=augment)
    unseen, theirs = tones(1)
    logits = encode(network, unseen)
    assert logits.shape == (24, 2)
    assert (logits.argmax(axis=1) == theirs).mean() >= 0.9


def test_fewer_crops_than_a_batch_and_recorded_noise() -> None:
    crops, labels = tones(0, n=4)
    noise = np.random.default_rng(2).normal(size=(3, 16384)).astype(np.float32)
    networks = [train_supervised(TINY, crops, labels, 2, steps=2, noise=noise) for _ in range(2)]
    first, second = (encode(network, crops) for network in networks)
    assert np.array_equal(first, second)
    white = train_supervised(TINY, crops, labels, 2, steps=2)
    assert not np.array_equal(first, encode(white, crops))
