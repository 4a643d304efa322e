"""Pictures of spectrograms, generated or real."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn


@torch.no_grad()
def generate(decoder: nn.Module, z: Tensor, classes: int) -> Tensor:
    """Each latent under every label: (rows, latent_dim) → (rows, classes, bins, frames)."""
    was_training = decoder.training
    decoder.eval()
    y = torch.eye(classes, device=z.device)
    spectrograms = [decoder(row.expand(classes, -1), y) for row in z]
    decoder.train(was_training)
    return torch.stack(spectrograms)


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
