"""The terms of the four VAEs' objectives, as in their papers. Logarithms are natural."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


def squared_error(x: Tensor, reconstruction: Tensor, noise: float) -> Tensor:
    """−log p(x|z) of a Gaussian of standard deviation `noise`, without its constant: mean over the batch."""
    return (x - reconstruction).square().flatten(1).sum(1).mean() / (2 * noise**2)


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) ‖ N(0, 1)) in closed form (Kingma & Welling, appendix B): (batch,)."""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)


def permute_dims(z: Tensor, generator: torch.Generator) -> Tensor:
    """Each dimension shuffled by itself: ∏ q(z_j) in place of q(z) (Kim & Mnih, algorithm 1)."""
    orders = torch.rand(z.shape, generator=generator, device=z.device).argsort(0)
    return z.gather(0, orders)


def density_ratio(logits: Tensor) -> Tensor:
    """log D(z) / (1 − D(z)), mean over the batch: FactorVAE's estimate of the total correlation."""
    return (logits[:, 0] - logits[:, 1]).mean()


def discriminator_loss(real: Tensor, permuted: Tensor) -> Tensor:
    """Cross entropy of logits (batch, 2): class 0 for z as it is, class 1 for permuted dimensions."""
    zeros = torch.zeros(len(real), dtype=torch.long, device=real.device)
    return 0.5 * (F.cross_entropy(real, zeros) + F.cross_entropy(permuted, torch.ones_like(zeros)))


@dataclass(frozen=True)
class Decomposition:
    """E[log q(z|x) − log p(z)] in three parts (Chen et al. 2018, equation 2); each a scalar."""

    mutual_information: Tensor  # E[log q(z|x) − log q(z)]
    total_correlation: Tensor  # E[log q(z) − Σ log q(z_j)]
    dimension_wise_kl: Tensor  # E[Σ log q(z_j) − log p(z_j)]


def decompose_kl(z: Tensor, mean: Tensor, log_var: Tensor, total: int) -> Decomposition:
    """β-TCVAE's parts, q(z) and q(z_j) estimated from the batch with stratified weights.

    Args:
        z: (batch, latents), a sample of q(z|x) a row, for the same rows of `mean` and `log_var`.
        total: how many x the training set has.
    """
    log_prior = _log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    log_posterior = _log_normal(z, mean, log_var).sum(1)
    pairs = _log_normal(z[:, None], mean[None], log_var[None])  # (batch of z, batch of x, latents)
    log_weights = stratified_log_weights(len(z), total).to(z)
    log_q = torch.logsumexp(log_weights + pairs.sum(2), dim=1)
    log_q_product = torch.logsumexp(log_weights[:, :, None] + pairs, dim=1).sum(1)
    return Decomposition(
        (log_posterior - log_q).mean(),
        (log_q - log_q_product).mean(),
        (log_q_product - log_prior).mean(),
    )


def stratified_log_weights(batch: int, total: int) -> Tensor:
    """(batch, batch): weights of q(z_i|x_j) whose sum is an unbiased q(z_i) (Chen et al., appendix C.2).

    N is `total` and M = batch − 1. The diagonal has weight 1/N, as z_i was drawn from x_i. The other M stand
    for the N − 1 others: 1/M each, except one with (N − M) / (N M), so that a row sums to 1.

    Raises:
        ValueError: the batch holds fewer than 2 clips or more than the training set.
    """
    others = batch - 1
    if not 1 <= others < total:
        raise ValueError(f"A batch has to hold 2 to {total} clips, not {batch}.")
    weights = torch.full((batch, batch), 1 / others)
    rows = torch.arange(batch)
    weights[rows, rows] = 1 / total
    weights[rows, (rows + 1) % batch] = (total - others) / (total * others)
    return weights.log()


def _log_normal(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean).square() * torch.exp(-log_var))
