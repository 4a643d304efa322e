"""Whitening of pooled voice vectors, without labels: one recording is one voice.

1. What varies between the crops of a recording is not its voice: content, pauses, noise. The inverse square
   root of that covariance makes those directions count less. This is within-class covariance normalisation
   (Hatch et al. 2006), with recordings as the classes instead of labelled speakers.
2. What varies between recordings is the voice. A few directions (high and low voices) hold most of it and
   would decide alone. The inverse fourth root of that covariance, half-way to flat, lets finer ones count.

Both covariances are averaged over corpora, so that the largest does not set the scale for the others. Both
are taken within a corpus, so that what tells microphones apart counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.vectors import unit

# Chosen on train speakers, see docs/training.md.
WITHIN_SHRINKAGE = 0.01  # towards a sphere
BETWEEN_SHRINKAGE = 0.33
BETWEEN_POWER = -0.25


@dataclass(frozen=True)
class Whitening:
    """`(x - mean) @ matrix`: mean (dim,), matrix (dim, dim)."""

    mean: Float32
    matrix: Float32

    def __call__(self, vectors: Float32) -> Float32:
        """Pooled voice frames (crops, dim) → unit embeddings (crops, dim), as the exported graph does it."""
        return unit(np.asarray((vectors - self.mean) @ self.matrix, np.float32))


def fit_whitening(
    vectors: Float32,
    recordings: NDArray[np.intp],
    corpora: Sequence[str] | None = None,
    between_power: float = BETWEEN_POWER,
) -> Whitening:
    """Fits on crops and the recording each is from.

    Args:
        vectors: (crops, dim) pooled voice frames.
        recordings: (crops,) an index per recording.
        corpora: which corpus each crop is of; None is one corpus.
        between_power: of the second step; 0 leaves it out.

    A corpus without a recording of two crops, single words for instance, takes no part.

    Raises:
        ValueError: no corpus has a recording of two crops.
    """
    x = vectors.astype(np.float64)
    names = np.asarray(corpora if corpora is not None else [""] * len(x))
    parts = [(x[names == name], np.asarray(recordings)[names == name]) for name in np.unique(names)]
    parts = [(of, index) for of, index in parts if len(np.unique(index)) < len(index)]
    if not parts:
        raise ValueError("Whitening needs recordings of at least two crops (2.05 s).")
    within = np.mean([_within(*part) for part in parts], axis=0)
    first = _power(_shrink(within, WITHIN_SHRINKAGE), -0.5)
    between = np.mean([_between(part @ first, index) for part, index in parts], axis=0)
    second = _power(_shrink(between, BETWEEN_SHRINKAGE), between_power)
    return Whitening(x.mean(axis=0).astype(np.float32), (first @ second).astype(np.float32))


def _within(x: Float64, recordings: NDArray[np.intp]) -> Float64:
    """Covariance of crops around the mean of their recording, (dim, dim)."""
    means, index, counts = _means(x, recordings)
    residual = (x - means[index])[counts[index] > 1]
    freedom = len(residual) - int((counts > 1).sum())
    covariance: Float64 = residual.T @ residual / freedom
    return covariance


def _between(x: Float64, recordings: NDArray[np.intp]) -> Float64:
    """Covariance of the means of recordings, (dim, dim); zero where there is only one."""
    means, _, _ = _means(x, recordings)
    centred = means - means.mean(axis=0)
    covariance: Float64 = centred.T @ centred / max(len(means) - 1, 1)
    return covariance


def _means(x: Float64, recordings: NDArray[np.intp]) -> tuple[Float64, NDArray[np.intp], NDArray[np.intp]]:
    """(recordings, dim) means, (crops,) which of them is each crop's, (recordings,) crops in each."""
    _, index, counts = np.unique(recordings, return_inverse=True, return_counts=True)
    sums = np.zeros((counts.size, x.shape[1]))
    np.add.at(sums, index, x)
    return sums / counts[:, None], index, counts


def _shrink(covariance: Float64, amount: float) -> Float64:
    sphere = max(float(np.trace(covariance)) / len(covariance), 1e-12) * np.eye(len(covariance))
    shrunk: Float64 = (1 - amount) * covariance + amount * sphere
    return shrunk


def _power(covariance: Float64, exponent: float) -> Float64:
    values, axes = np.linalg.eigh(covariance)
    powered: Float64 = (axes * values**exponent) @ axes.T
    return powered
