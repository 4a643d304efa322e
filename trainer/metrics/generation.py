"""How good generated samples are, seen by a classifier: Inception Score and Fréchet Inception Distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float64

Numbers = NDArray[np.floating]
SPLITS = 10  # parts of the samples, each scored apart (Salimans et al. 2016)


def inception_score(logits: Numbers, splits: int = SPLITS) -> tuple[float, float]:
    """exp(E KL(p(y|x) ‖ p(y))), GAAE's equation 9: mean and deviation over `splits` parts of the samples.

    It lies between 1, when nothing is told apart, and the number of classes. Shuffle samples that were drawn
    class by class: otherwise the parts differ in their classes.

    Args:
        logits: (samples, classes).

    Raises:
        ValueError: fewer samples than splits.
    """
    if len(logits) < splits:
        raise ValueError(f"{len(logits)} samples cannot be split into {splits} parts.")
    wide = np.asarray(logits, dtype=np.float64)
    log_p = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    scores = []
    for part in np.array_split(log_p, splits):
        log_marginal = np.logaddexp.reduce(part, axis=0) - np.log(len(part))
        scores.append(np.exp((np.exp(part) * (part - log_marginal)).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def frechet_distance(real: Numbers, generated: Numbers) -> float:
    """‖μ_r − μ_g‖² + Tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½), GAAE's equation 10, of the sets' Gaussians.

    Args:
        real, generated: (samples, features) each: a classifier's logits, or a layer before them.

    Raises:
        ValueError: a set of fewer than two samples.
    """
    if min(len(real), len(generated)) < 2:
        raise ValueError("A covariance needs at least two samples in each set.")
    (mu_r, sigma_r), (mu_g, sigma_g) = (_gaussian(features) for features in (real, generated))
    # Σ_r Σ_g has the eigenvalues of the symmetric Σ_r^½ Σ_g Σ_r^½, which stay real when rounded.
    values, vectors = np.linalg.eigh(sigma_r)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ sigma_g @ root).clip(min=0)
    traces = np.trace(sigma_r) + np.trace(sigma_g) - 2 * np.sqrt(product).sum()
    return float(((mu_r - mu_g) ** 2).sum() + traces)


def _gaussian(features: Numbers) -> tuple[Float64, Float64]:
    wide = np.asarray(features, dtype=np.float64)
    return wide.mean(axis=0), np.atleast_2d(np.cov(wide, rowvar=False))
