"""The Barlow Twins loss (Zbontar et al. 2021; Barlow Twins for speech, equations 1 and 2)."""

from __future__ import annotations

from torch import Tensor, nn


class Projector(nn.Module):
    """(batch, inputs) → (batch, width): Linear–BN–ReLU, then a linear layer."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y


def barlow_twins_loss(z1: Tensor, z2: Tensor, lambd: float = 0.005) -> Tensor:
    """Σ (C_ii − 1)² + λ Σ_{i≠j} C_ij², C the cross-correlation of the two views over the batch.

    Args:
        z1: (batch, width) projections of one view.
        z2: (batch, width) projections of the other view of the same samples, in the same order.
    """
    C = _standardise(z1).T @ _standardise(z2) / z1.shape[0]  # (width, width)
    on_diagonal = (C.diagonal() - 1).square().sum()
    off_diagonal = C.square().sum() - C.diagonal().square().sum()
    return on_diagonal + lambd * off_diagonal


def _standardise(z: Tensor) -> Tensor:
    mean = z.mean(dim=0)
    deviation = (z.var(dim=0, unbiased=False) + 1e-5).sqrt()
    return (z - mean) / deviation
