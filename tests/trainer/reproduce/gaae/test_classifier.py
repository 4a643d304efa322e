"""The simple classifier learns what can be told apart, and hears it degraded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from trainer.gaae.degrade import FLOOR, degraded
from trainer.reproduce.gaae.classifier import (
    accuracy,
    answers,
    train_classifier,
    train_on_features,
)
from trainer.reproduce.gaae.scale import SCALES

CPU = torch.device("cpu")


def bands(count: int, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Noise in the lower or the upper half of the bins, of a second's size."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (count,), generator=generator)
    x = torch.full((count, 32, 32), FLOOR)
    for row, label in zip(x, y.tolist(), strict=True):
        row[16 * label : 16 * label + 16] = torch.rand(16, 32, generator=generator) * 2 - 1
    return x, y.numpy()


def test_two_kinds_of_spectrogram_are_learnt() -> None:
    scale = replace(SCALES["toy"], classifier_steps=40, classifier_batch=16, classifier_rate=1e-3)
    x, y = bands(30, 0)
    net = train_classifier(x, y, 2, scale, 0, CPU)
    test_x, test_y = bands(50, 1)
    assert accuracy(answers(net, test_x, CPU), test_y) > 95
    assert not net.training


def test_degrading_moves_blanks_and_adds_noise() -> None:
    x, _ = bands(64, 2)
    degraded_x = degraded(x, torch.Generator().manual_seed(0))
    assert torch.equal(degraded_x, degraded(x, torch.Generator().manual_seed(0)))
    assert degraded_x.shape == x.shape
    assert degraded_x.min() >= -1
    assert degraded_x.max() <= 1
    silent = degraded(torch.full((64, 32, 32), FLOOR), torch.Generator().manual_seed(1))
    assert 0.45 < float((silent == FLOOR).float().mean()) < 0.6  # noise upwards of the floor half the time
    loud = degraded(torch.ones(64, 32, 32), torch.Generator().manual_seed(1))
    inside = (loud > 0).float().mean(dim=(1, 2))
    assert 0.6 < float(inside.mean()) < 0.99
    assert len(set(inside.tolist())) > 32  # not the same patch each time


def test_features_are_classified() -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 4
    features = torch.randn(40, 32, generator=generator)
    features[:, :4] += 4 * torch.eye(4)[y]
    net = train_on_features(features, y.numpy(), 4, steps=150, seed=0)
    assert accuracy(answers(net, features, CPU), y.numpy()) == 100
