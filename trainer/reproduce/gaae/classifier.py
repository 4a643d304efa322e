"""The simple classifier of spectrograms (GAAE, Table XXIV), its training and its accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from trainer.gaae.degrade import degraded
from trainer.gaae.networks import Classifier, SimpleClassifier
from trainer.gaae.settings import GaaeSettings
from trainer.reproduce.gaae.scale import GaaeScale

BATCH = 128  # where nothing is learnt
MLP_RATE = 1e-3


def train_classifier(
    x: Tensor, y: NDArray[np.int64], classes: int, scale: GaaeScale, seed: int, device: torch.device
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
