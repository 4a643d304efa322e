"""How far two representations of the same samples depend on each other: HSIC, and a linear probe each way.

HSIC is 0 in the limit only for independent variables (Gretton et al. 2005, equation 9). It is scaled here by
the two variables' own, as in Cortes et al. 2012: 0 to 1. Finite samples leave it above 0 even where there is
nothing, so `hsic_floor` belongs beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from bundle.arrays import Float64


def hsic(x: ArrayLike, y: ArrayLike) -> float:
    """Normalised HSIC with Gaussian kernels as wide as the median distance: (n, d) and (n, e) → [0, 1].

    Raises:
        ValueError: the lengths differ, or a representation does not vary.
    """
    return _aligned(_centred_kernel(_standard(x)), _centred_kernel(_standard(y)))


def hsic_floor(x: ArrayLike, y: ArrayLike, draws: int = 20, seed: int = 0) -> float:
    """The mean of `hsic` over random pairings, whose two sides are independent."""
    K, L = _centred_kernel(_standard(x)), _centred_kernel(_standard(y))
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(K)) for _ in range(draws)]
    return float(np.mean([_aligned(K, L[np.ix_(order, order)]) for order in orders]))


def linear_r2(x: ArrayLike, y: ArrayLike, tested: ArrayLike, penalty: float = 100.0) -> float:
    """R² of ridge regression from x to y (n, e), on the rows `tested` (n,), learnt on the others.

    It is below 0 where the regression is worse than the mean. Each column of y counts alike.
    """
    from sklearn.linear_model import Ridge  # half a second to import

    features, targets, held_out = _standard(x), _standard(y), np.asarray(tested, dtype=bool)
    with threadpool_limits(1):
        probe = Ridge(penalty).fit(features[~held_out], targets[~held_out])
        predicted = probe.predict(features[held_out]).reshape(-1, targets.shape[1])
    true = targets[held_out]
    error, spread = ((true - predicted) ** 2).sum(), ((true - targets[~held_out].mean(axis=0)) ** 2).sum()
    return float(1 - error / spread)


def _standard(x: ArrayLike) -> Float64:
    values = np.asarray(x, dtype=np.float64)
    deviation = values.std(axis=0)
    if not (deviation > 0).any():
        raise ValueError("A representation does not vary: it cannot depend on anything.")
    standard: Float64 = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return standard


def _centred_kernel(x: Float64) -> Float64:
    """exp(−|x_i − x_j|² / 2σ²) without its row and column means, σ the median distance: (n, n)."""
    squares = (x**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0.0)
    K = np.exp(-distances / (2 * np.median(distances[~np.eye(len(x), dtype=bool)])))
    centred: Float64 = K - K.mean(axis=0) - K.mean(axis=1)[:, None] + K.mean()
    return centred


def _aligned(K: Float64, L: Float64) -> float:
    if K.shape != L.shape:
        raise ValueError(f"Give both representations of the same samples: got {len(K)} and {len(L)}.")
    return float((K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum()))
