"""Label-free whitening of pooled voice vectors: what varies inside a recording is not the voice.

The covariance of crops around the mean of their own recording holds content, pauses and noise, but no speaker
identity. Its inverse square root makes those directions count less: within-class covariance normalisation
(Hatch et al. 2006) with recordings as the classes instead of labelled speakers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.embedding import unit

SHRINKAGE = 0.03  # towards a sphere; 0.1 and 0.3 did worse on train speakers set aside

PARENT_CROPS = 300  # what the parent's covariance counts for in a fine-tuning: docs/model-updates.md


@dataclass(frozen=True)
class Whitening:
    """`(x - mean) @ matrix`: mean (dim,), matrix (dim, dim)."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pooled voice frames (crops, dim) → unit embeddings (crops, dim), as the exported graph does it."""
        return unit(np.asarray((vectors - self.mean) @ self.matrix, np.float32))


def fit_whitening(
    vectors: NDArray[np.float32], recordings: NDArray[np.intp], shrinkage: float = SHRINKAGE
) -> Whitening:
    """Fits on crops and the recording each is from.

    Args:
        vectors: (crops, dim) pooled voice frames.
        recordings: (crops,) an index per recording.

    Raises:
        ValueError: no recording has two crops.
    """
    within, freedom = _within(vectors, recordings)
    if freedom < 1:
        raise ValueError("Whitening needs recordings of at least two crops (2.05 s).")
    within /= freedom
    sphere = np.trace(within) / len(within) * np.eye(len(within))
    matrix = _inverse_root((1 - shrinkage) * within + shrinkage * sphere)
    return Whitening(vectors.mean(axis=0, dtype=np.float64).astype(np.float32), matrix)


def carry_whitening(
    parent: Whitening,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    recordings: NDArray[np.intp],
    weight: float = PARENT_CROPS,
) -> Whitening:
    """The parent's whitening for a model fine-tuned from it, refined by what little audio there is.

    The mean moves as the crops moved. The parent's covariance counts as `weight` crops beside those given.

    Args:
        before, after: (crops, dim) pooled voice frames of the same crops under the parent and the new model.
        recordings: (crops,) an index per stretch of audio that holds one voice.
    """
    within, freedom = _within(after, recordings)
    parents = np.linalg.inv(parent.matrix.astype(np.float64) @ parent.matrix)
    mean = parent.mean + (after.mean(axis=0) - before.mean(axis=0))
    return Whitening(mean, _inverse_root((weight * parents + within) / (weight + freedom)))


def _within(vectors: NDArray[np.float32], recordings: NDArray[np.intp]) -> tuple[NDArray[np.float64], int]:
    """Scatter of crops around their recording's mean (dim, dim), and its degrees of freedom."""
    x = vectors.astype(np.float64)
    _, recording = np.unique(recordings, return_inverse=True)
    counts = np.bincount(recording)
    sums = np.zeros((counts.size, x.shape[1]))
    np.add.at(sums, recording, x)
    residual = (x - (sums / counts[:, None])[recording])[counts[recording] > 1]
    return residual.T @ residual, len(residual) - int((counts > 1).sum())


def _inverse_root(covariance: NDArray[np.float64]) -> NDArray[np.float32]:
    values, axes = np.linalg.eigh(covariance)
    return np.asarray((axes / np.sqrt(values)) @ axes.T, np.float32)
