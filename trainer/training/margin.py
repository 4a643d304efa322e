"""Additive angular margin softmax, of trainings that know who speaks, or guess it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def aam_softmax(cosine: Tensor, speaker: Tensor, m: float, s: float) -> Tensor:
    """Additive angular margin softmax (Deng et al. 2019, equation 3): the mean over the batch of

        −log( e^{s cos(θ_y + m)} / (e^{s cos(θ_y + m)} + Σ_{j≠y} e^{s cos θ_j}) ).

    Beyond θ_y = π − m, where cos(θ + m) would rise again, the line cos θ − m sin m goes on falling.

    Args:
        cosine: (batch, speakers) cos θ_j between embedding and each speaker's weight.
        speaker: (batch,) y.
    """
    cos_y = cosine.gather(1, speaker[:, None])  # (batch, 1)
    sin_y = (1 - cos_y.square()).clamp(min=1e-9).sqrt()
    cos_y_m = cos_y * math.cos(m) - sin_y * math.sin(m)  # cos(θ_y + m)
    margin = torch.where(cos_y > -math.cos(m), cos_y_m, cos_y - m * math.sin(m))
    return F.cross_entropy(s * cosine.scatter(1, speaker[:, None], margin), speaker)
