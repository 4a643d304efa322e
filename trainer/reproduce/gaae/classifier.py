"""The simple classifier of spectrograms (GAAE, Table XXIV), and what is asked of classifiers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from trainer.gaae.networks import Classifier, SimpleClassifier
from trainer.gaae.settings import GaaeSettings
from trainer.reproduce.gaae.scale import Scale

FLOOR = -1.0  # of a spectrogram
NOISE = 0.1  # deviation
TURN = math.radians(3)  # either way
SHIFT = 0.2  # of half the width, either way
PATCH = 0.25  # of height and width at most
BATCH = 128  # where nothing is learnt
MLP_RATE = 1e-3


def train_classifier(
    x: Tensor, y: NDArray[np.int64], classes: int, scale: Scale, seed: int, device: torch.device
) -> SimpleClassifier:
    """Learns spectrograms (samples, bins, frames), degraded anew each time; returned in evaluation mode.

    Every class comes up as often, whatever there is of it.
    """
    torch.manual_seed(seed)
    net = SimpleClassifier(_settings_for(x), classes).to(device).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=scale.classifier_rate)
    generator = torch.Generator().manual_seed(seed)
    labels = torch.from_numpy(y)
    weights = 1.0 / torch.bincount(labels, minlength=classes).clamp(min=1).double()[labels]
    for _ in range(scale.classifier_steps):
        chosen = torch.multinomial(weights, scale.classifier_batch, replacement=True, generator=generator)
        logits = net(degraded(x[chosen], generator).to(device))
        loss = F.cross_entropy(logits, labels[chosen].to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


def _settings_for(x: Tensor) -> GaaeSettings:
    settings = GaaeSettings()
    bins, frames = x.shape[1:]
    return replace(settings, spectrogram=replace(settings.spectrogram, bins=bins, frames=frames))


def degraded(x: Tensor, generator: torch.Generator) -> Tensor:
    """Section VII's "heavily augmented": a slight turn and shift, a blank patch, noise; (n, bins, frames)."""
    n, bins, frames = x.shape

    def within(limit: float) -> Tensor:
        return limit * (2 * torch.rand(n, generator=generator) - 1)

    turn = within(TURN)
    cos, sin, zero = turn.cos(), turn.sin(), torch.zeros(n)
    theta = torch.stack(
        [torch.stack([cos, -sin, within(SHIFT)], 1), torch.stack([sin, cos, zero], 1)], 1
    )  # (n, 2, 3)
    grid = F.affine_grid(theta, [n, 1, bins, frames], align_corners=False)
    moved = F.grid_sample((x - FLOOR)[:, None], grid, align_corners=False)[:, 0] + FLOOR
    noisy = moved + NOISE * torch.randn(x.shape, generator=generator)
    blank = _strip(bins, generator, n)[:, :, None] & _strip(frames, generator, n)[:, None, :]
    return noisy.clamp(-1, 1).masked_fill(blank, FLOOR)


def _strip(length: int, generator: torch.Generator, n: int) -> Tensor:
    """(n, length): a run of at most PATCH of it, somewhere."""
    width = PATCH * length * torch.rand(n, 1, generator=generator)
    start = (length - width) * torch.rand(n, 1, generator=generator)
    place = torch.arange(length)
    return (place >= start) & (place < start + width)


def train_on_features(
    features: Tensor, y: NDArray[np.int64], classes: int, steps: int, seed: int
) -> Classifier:
    """The feed-forward classifier on BiGAN's features (samples, latent_dim), which stay as they are."""
    torch.manual_seed(seed)
    net = Classifier(replace(GaaeSettings(), guided_dim=features.shape[1]), classes).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=MLP_RATE)
    labels = torch.from_numpy(y)
    for _ in range(steps):
        loss = F.cross_entropy(net(features), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


@torch.no_grad()
def answers(net: Callable[[Tensor], Tensor], x: Tensor, device: torch.device) -> Tensor:
    """What a network on `device` says of (samples, …), in batches, on the CPU."""
    return torch.cat([net(part.to(device)).float().cpu() for part in torch.split(x, BATCH)])


def accuracy(logits: Tensor, y: NDArray[np.int64]) -> float:
    """In percent."""
    return 100 * float((logits.argmax(dim=1).numpy() == y).mean())
