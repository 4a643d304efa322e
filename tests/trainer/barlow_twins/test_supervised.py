from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.arrays import Float32
from trainer.barlow_twins import supervised
from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.barlow_twins.supervised import SupervisedTraining, train_supervised, train_to_convergence

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
    network = train_supervised(TINY, crops, labels, 2, steps=60, augment=augment).network
    unseen, theirs = tones(1)
    logits = encode(network, unseen)
    assert logits.shape == (24, 2)
    assert (logits.argmax(axis=1) == theirs).mean() >= 0.9


def test_fewer_crops_than_a_batch_and_recorded_noise() -> None:
    crops, labels = tones(0, n=4)
    noise = np.random.default_rng(2).normal(size=(3, 16384)).astype(np.float32)
    networks = [train_supervised(TINY, crops, labels, 2, steps=2, noise=noise).network for _ in range(2)]
    first, second = (encode(network, crops) for network in networks)
    assert np.array_equal(first, second)
    white = train_supervised(TINY, crops, labels, 2, steps=2).network
    assert not np.array_equal(first, encode(white, crops))


@pytest.mark.parametrize(
    ("losses", "steps", "converged"),
    [
        ((0.01,), 10, True),  # known by heart at once
        ((2.0, 1.0, 0.95), 40, True),  # the last doubling changed little
        ((2.0, 1.0, 0.5, 0.2), 80, False),  # it still falls, and no more steps are allowed
    ],
)
def test_a_training_is_doubled_until_its_loss_is_flat(
    losses: tuple[float, ...], steps: int, converged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule alone; what a training is stands above."""
    network = supervised.Supervised(TINY, 2)
    left = list(losses)
    monkeypatch.setattr(
        supervised,
        "train_supervised",
        lambda *_, steps, **__: SupervisedTraining(network, left.pop(0), steps),
    )
    training = train_to_convergence(TINY, *tones(0, n=4), 2, steps=10, most=100)
    assert (training.steps, training.converged, training.loss) == (steps, converged, losses[-1])
