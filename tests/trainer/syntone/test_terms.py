from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from trainer.syntone.networks import sample
from trainer.syntone.terms import (
    decompose_kl,
    density_ratio,
    discriminator_loss,
    gaussian_kl,
    permute_dims,
    squared_error,
    stratified_log_weights,
)


def posterior(batch: int, latents: int) -> tuple[torch.Tensor, torch.Tensor, torch.Generator]:
    generator = torch.Generator().manual_seed(3)
    mean = 2 * torch.randn(batch, latents, generator=generator)
    return mean, torch.randn(batch, latents, generator=generator) - 1, generator


def test_kl_is_the_closed_form() -> None:
    mean, log_var, _ = posterior(7, 5)
    theirs = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0, 1)).sum(1)
    torch.testing.assert_close(gaussian_kl(mean, log_var), theirs)


def test_squared_error_is_a_gaussian_s_likelihood() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(3, 4, 5, generator=generator), torch.rand(3, 4, 5, generator=generator)
    constant = 20 * math.log(0.1 * math.sqrt(2 * math.pi))
    theirs = -Normal(y, 0.1).log_prob(x).flatten(1).sum(1).mean() - constant
    torch.testing.assert_close(squared_error(x, y, 0.1), theirs)


def test_permuting_keeps_each_dimension_and_breaks_their_bond() -> None:
    z = torch.arange(400.0)[:, None].repeat(1, 3)
    permuted = permute_dims(z, torch.Generator().manual_seed(0))
    for column in permuted.T:
        torch.testing.assert_close(column.sort().values, torch.arange(400.0))
    assert np.abs(np.corrcoef(permuted.T)[np.triu_indices(3, 1)]).max() < 0.2


def test_discriminator_terms() -> None:
    sure = torch.tensor([[20.0, 0.0]])
    assert discriminator_loss(sure, -sure) < 1e-6
    assert discriminator_loss(-sure, sure) == pytest.approx(20, abs=1e-3)
    # log D / (1 − D) of D = softmax of the logits
    logits = torch.tensor([[0.3, -0.4], [1.0, 2.0]])
    D = logits.softmax(1)[:, 0]
    torch.testing.assert_close(density_ratio(logits), (D / (1 - D)).log().mean())


def test_stratified_weights_by_hand() -> None:
    """N = 5, batch 3, so M = 2: 1/5 for x_i itself, 1/2 for one other, (5 − 2) / (5 · 2) for the last."""
    expected = torch.tensor([[0.2, 0.3, 0.5], [0.5, 0.2, 0.3], [0.3, 0.5, 0.2]])
    torch.testing.assert_close(stratified_log_weights(3, 5).exp(), expected)
    for batch in (1, 6):
        with pytest.raises(ValueError, match="batch has to hold"):
            stratified_log_weights(batch, 5)


def test_stratified_weights_are_unbiased() -> None:
    """Over all batches that hold x_0, the weighted sum is the mean over the whole set."""
    densities = torch.tensor([0.9, 0.1, 0.4, 0.2, 0.7])
    weights = stratified_log_weights(3, 5).exp()[0]
    sums = [weights @ densities[[0, a, b]] for a, b in itertools.permutations(range(1, 5), 2)]
    torch.testing.assert_close(torch.stack(sums).mean(), densities.mean())


def test_parts_of_the_kl_sum_to_it() -> None:
    """With all weights 1 (β-TCVAE at β = 1) the parts are the VAE's KL, in expectation over z."""
    mean, log_var, generator = posterior(32, 4)
    draws = [decompose_kl(sample(mean, log_var, generator), mean, log_var, total=32) for _ in range(400)]
    sums = torch.stack([d.mutual_information + d.total_correlation + d.dimension_wise_kl for d in draws])
    assert sums.mean() == pytest.approx(gaussian_kl(mean, log_var).mean().item(), rel=0.02)


def test_total_correlation_sees_dependent_codes() -> None:
    """Two codes that repeat one another share information; two that do not share none."""
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randn(2, 512, generator=generator)
    log_var = torch.full((512, 2), -4.0)

    def total_correlation(mean: torch.Tensor) -> float:
        return decompose_kl(sample(mean, log_var, generator), mean, log_var, 512).total_correlation.item()

    assert total_correlation(torch.stack([one, one], 1)) > 1.0
    assert abs(total_correlation(torch.stack([one, two], 1))) < 0.3
