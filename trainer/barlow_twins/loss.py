"""The Barlow Twins loss (Zbontar et al. 2021; Barlow Twins for speech, equations 1 and 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Projector(nn.Module):
    """(batch, inputs) → (batch, outputs): Linear–BN–ReLU `hidden` times, then a linear layer."""

    def __init__(self, inputs: int, width: int, outputs: int | None = None, hidden: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(hidden):
            layers += [
                nn.Linear(width if i else inputs, width, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs or width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y


def cross_correlation(z1: Tensor, z2: Tensor) -> Tensor:
    """Equation 2 to the letter: C_ij, the cosine over the batch of latent i of one view and j of the other.

    Args:
        z1, z2: (batch, width) of the same samples in the same order; nothing is subtracted here.

    Returns:
        (width, width)
    """
    with torch.autocast(z1.device.type, enabled=False):  # three digits of bf16 are too few for its diagonal
        C: Tensor = F.normalize(z1.float(), dim=0).T @ F.normalize(z2.float(), dim=0)
    return C


def invariance_and_redundancy(C: Tensor) -> tuple[Tensor, Tensor]:
    """The two sums of equation 1: Σ (1 − C_ii)² and Σ_{i≠j} C_ij²."""
    diagonal = C.diagonal()
    return (1 - diagonal).square().sum(), C.square().sum() - diagonal.square().sum()


def barlow_twins_loss(z1: Tensor, z2: Tensor, lambd: float = 0.005) -> Tensor:
    """Σ (C_ii − 1)² + λ Σ_{i≠j} C_ij², C the cross-correlation of the two standardised views over the batch.

    Args:
        z1: (batch, width) projections of one view.
        z2: (batch, width) projections of the other view of the same samples, in the same order.
    """
    with torch.autocast(z1.device.type, enabled=False):  # as above
        C = _standardise(z1.float()).T @ _standardise(z2.float()) / z1.shape[0]  # (width, width)
    invariance, redundancy = invariance_and_redundancy(C)
    return invariance + lambd * redundancy


def _standardise(z: Tensor) -> Tensor:
    mean = z.mean(dim=0)
    deviation = (z.var(dim=0, unbiased=False) + 1e-5).sqrt()
    return (z - mean) / deviation
