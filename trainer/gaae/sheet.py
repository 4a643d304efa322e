"""Samples of an averaged decoder, and pictures of spectrograms."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.gaae.networks import Decoder

STANDING_BATCHES = 32  # generated batches for the batch statistics
STANDING_BATCH = 64


@torch.no_grad()
def standing_statistics(decoder: Decoder, latent_dim: int, classes: int) -> Decoder:
    """A copy whose batch norms hold the mean statistics of generated batches, as in BigGAN.

    The statistics of the training do not fit: they come from weights that are not averaged, and half of them
    from reconstructions.
    """
    decoder = copy.deepcopy(decoder).eval()
    norms = [module for module in decoder.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
        norm.train()
    device = decoder.dense.weight.device
    generator = torch.Generator().manual_seed(0)
    for _ in range(STANDING_BATCHES):
        z = torch.randn(STANDING_BATCH, latent_dim, generator=generator)
        y = torch.randint(classes, (STANDING_BATCH,), generator=generator)
        decoder(z.to(device), F.one_hot(y, classes).float().to(device))
    return decoder.eval()


@torch.no_grad()
def generate(decoder: Decoder, z: Tensor, classes: int) -> Tensor:
    """Each latent under every label: (rows, latent_dim) → (rows, classes, bins, frames)."""
    decoder = standing_statistics(decoder, z.shape[1], classes)
    y = torch.eye(classes, device=z.device)
    return torch.stack([decoder(row.expand(classes, -1), y) for row in z])


def draw_sheet(spectrograms: Tensor, columns: Sequence[str], title: str, path: Path) -> None:
    """Writes a PNG of (rows, columns, bins, frames) in [−1, 1], low frequencies at the bottom."""
    from matplotlib.figure import Figure  # half a second to import: only when a picture is drawn

    rows = len(spectrograms)
    figure = Figure(figsize=(1.1 * len(columns), 1.9 * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=9)
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for row, line in zip(grid, spectrograms, strict=True):
        for axes, x in zip(row, line, strict=True):
            axes.imshow(x.numpy(), origin="lower", aspect="auto", cmap="magma", vmin=-1, vmax=1)
            axes.set(xticks=[], yticks=[])
    for axes, name in zip(grid[0], columns, strict=True):
        axes.set_title(name, fontsize=8)
    figure.savefig(path, dpi=90)
