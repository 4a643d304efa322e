"""The supervised baseline: the backbone of Barlow Twins from scratch, with a linear classifier on top."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from bundle.arrays import Float32
from trainer.audio.acoustics import degrade
from trainer.audio.frontends import LogSpectrogram
from trainer.barlow_twins.networks import ResNet
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.training.loop import autocast, learning_rate

LEARNT = 0.02  # cross-entropy of training crops that are known by heart
FLAT = 0.1  # twice the steps that lower the loss by less than this share were not needed
LAST_STEPS = 10  # that the loss of a training is the mean of


class Supervised(nn.Module):
    """Spectrograms (batch, 513, 126) → logits (batch, classes)."""

    def __init__(self, settings: BarlowTwinsSettings, classes: int) -> None:
        super().__init__()
        self.backbone = ResNet(settings.depth, settings.width)
        self.classifier = nn.Linear(self.backbone.features, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.backbone(x))
        return logits


@dataclass(frozen=True)
class SupervisedTraining:
    """A trained network, and its training.

    Attributes:
        loss: cross-entropy of training crops over the last steps.
        converged: was nothing left to learn, as `train_to_convergence` sees it?
    """

    network: Supervised
    loss: float
    steps: int
    converged: bool = False


def train_to_convergence(
    settings: BarlowTwinsSettings,
    crops: Float32,
    labels: NDArray[np.intp],
    classes: int,
    *,
    steps: int,
    most: int,
    noise: Float32 | None = None,
) -> SupervisedTraining:
    """Trains anew, each time twice as long, until that hardly lowers the loss of the training crops.

    The paper does not say how long its supervised networks were trained. No test crop is looked at.

    Args:
        steps: of the first training.
        most: the steps of a training at most. Where they do not suffice, `converged` is False.
    """
    training = train_supervised(settings, crops, labels, classes, steps=steps, noise=noise)
    while training.loss > LEARNT:
        if 2 * training.steps > most:
            return training
        longer = train_supervised(settings, crops, labels, classes, steps=2 * training.steps, noise=noise)
        flat = longer.loss > (1 - FLAT) * training.loss
        training = longer
        if flat:
            break
    return replace(training, converged=True)


def train_supervised(
    settings: BarlowTwinsSettings,
    crops: Float32,
    labels: NDArray[np.intp],
    classes: int,
    *,
    steps: int,
    noise: Float32 | None = None,
    augment: bool = True,
) -> SupervisedTraining:
    """Cross-entropy with the backbone, batch, optimiser, rates and seed of the Barlow Twins settings.

    Args:
        crops: (n, 16384).
        labels: (n,) of 0 … classes − 1.
        steps: batches. Every pass over the crops has a new order.
        noise: (m, 16384) recordings of noise that `augment` adds; white noise if None.
        augment: passes each crop through a random channel, as for the views of Barlow Twins.

    Returns:
        The network in evaluation mode, on the CPU.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    generator = torch.Generator(device).manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    frontend = LogSpectrogram().to(device)
    model = Supervised(settings, classes).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.peak_rate)
    batch = min(settings.batch, len(crops))
    passes = -(-steps * batch // len(crops))
    order = np.concatenate([rng.permutation(len(crops)) for _ in range(passes)])
    losses = []
    for step in range(steps):
        for parameters in optimizer.param_groups:
            parameters["lr"] = learning_rate(settings, step, steps)
        rows = order[step * batch : (step + 1) * batch]
        waveform = torch.from_numpy(crops[rows]).to(device)
        if augment:
            chosen = None if noise is None else noise[rng.integers(len(noise), size=batch)]
            added = None if chosen is None else torch.from_numpy(chosen).to(device)
            waveform = degrade(waveform, added, generator, settings.acoustics)
        with autocast(device, settings.mixed_precision):
            logits = model(frontend(waveform))
        loss = F.cross_entropy(logits.float(), torch.from_numpy(labels[rows]).to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return SupervisedTraining(model.eval().cpu(), float(np.mean(losses[-LAST_STEPS:])), steps)
