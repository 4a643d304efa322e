"""Augmentation of spectrograms that a classifier learns from: "heavily augmented" in GAAE's section VII."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

FLOOR = -1.0  # of a spectrogram
NOISE = 0.1  # deviation
TURN = math.radians(3)  # either way
SHIFT = 0.2  # of half the width, either way
PATCH = 0.25  # of height and width at most


def degraded(x: Tensor, generator: torch.Generator) -> Tensor:
    """Turns and shifts each spectrogram a little, adds noise and a blank patch.

    Args:
        x: (n, bins, frames) in [−1, 1]; so is the result.
        generator: on the device of x.
    """
    n, bins, frames = x.shape

    def within(limit: float) -> Tensor:
        return limit * (2 * torch.rand(n, generator=generator, device=x.device) - 1)

    turn = within(TURN)
    cos, sin, zero = turn.cos(), turn.sin(), torch.zeros_like(turn)
    theta = torch.stack(
        [torch.stack([cos, -sin, within(SHIFT)], 1), torch.stack([sin, cos, zero], 1)], 1
    )  # (n, 2, 3)
    grid = F.affine_grid(theta, [n, 1, bins, frames], align_corners=False)
    moved = F.grid_sample((x - FLOOR)[:, None], grid, align_corners=False)[:, 0] + FLOOR
    noisy = moved + NOISE * torch.randn(x.shape, generator=generator, device=x.device)
    blank = _strip(bins, generator, n)[:, :, None] & _strip(frames, generator, n)[:, None, :]
    return noisy.clamp(-1, 1).masked_fill(blank, FLOOR)


def _strip(length: int, generator: torch.Generator, n: int) -> Tensor:
    """(n, length): a run of at most PATCH of it, somewhere."""
    width = PATCH * length * torch.rand(n, 1, generator=generator, device=generator.device)
    start = (length - width) * torch.rand(n, 1, generator=generator, device=generator.device)
    place = torch.arange(length, device=generator.device)
    return (place >= start) & (place < start + width)
