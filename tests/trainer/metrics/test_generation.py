"""Inception Score and Fréchet distance against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics import frechet_distance, inception_score

SURE = 60.0  # a logit beside which the others are nothing


def test_sure_and_even_classes_score_their_number() -> None:
    classes = np.arange(400) % 8
    mean, std = inception_score(SURE * np.eye(8)[classes])
    assert mean == pytest.approx(8, abs=1e-9)
    assert std == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("logits", [np.zeros((50, 5)), SURE * np.eye(5)[np.full(50, 2)]])
def test_nothing_told_apart_scores_one(logits: np.ndarray) -> None:
    assert inception_score(logits)[0] == pytest.approx(1, abs=1e-9)


def test_the_score_of_two_kinds_of_answer() -> None:
    """Half the samples say (p, 1 − p), half (1 − p, p): the marginal is even, KL = ln 2 − H(p)."""
    p = 0.8
    logits = np.log(np.where(np.arange(100)[:, None] % 2, [p, 1 - p], [1 - p, p]))
    expected = 2 * np.exp(p * np.log(p) + (1 - p) * np.log(1 - p))
    assert inception_score(logits)[0] == pytest.approx(expected)
    assert inception_score(logits + 7.0, splits=1)[0] == pytest.approx(expected)  # softmax forgets a shift


def with_moments(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Samples whose mean and covariance are exactly these."""
    raw = np.random.default_rng(0).normal(size=(60, len(mean)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def test_the_distance_of_commuting_gaussians() -> None:
    """Of diagonal covariances it is ‖μ_r − μ_g‖² + Σ (σ_r − σ_g)²."""
    a = with_moments(np.array([0.0, 1.0, 2.0]), np.diag([1.0, 4.0, 9.0]))
    b = with_moments(np.array([3.0, 1.0, -2.0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet_distance(a, b) == pytest.approx((9 + 0 + 16) + (1 + 0 + 4))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_the_distance_is_symmetric_and_knows_rotations() -> None:
    """Two 2-D Gaussians, one turned by 45°: Tr (Σ_r Σ_g)^½ of a 2 × 2 product is √(Tr + 2 √det)."""
    turned = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    sigma_r, zero = np.diag([1.0, 9.0]), np.zeros(2)
    sigma_g = turned @ np.diag([1.0, 9.0]) @ turned.T
    a, b = with_moments(zero, sigma_r), with_moments(zero, sigma_g)
    root = np.sqrt(np.trace(sigma_r @ sigma_g) + 2 * np.sqrt(np.linalg.det(sigma_r @ sigma_g)))
    assert frechet_distance(a, b) == pytest.approx(20 - 2 * root)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b))


def test_a_flat_distribution_has_a_distance() -> None:
    """Fewer samples than features: the covariance has no inverse, and needs none."""
    rng = np.random.default_rng(1)
    assert np.isfinite(frechet_distance(rng.normal(size=(4, 20)), np.zeros((4, 20))))


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="10 parts"):
        inception_score(np.zeros((9, 2)))
    with pytest.raises(ValueError, match="two samples"):
        frechet_distance(np.zeros((1, 2)), np.zeros((5, 2)))
