"""A linear map from one model's voice embeddings to another's, for voices whose audio is gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bundle.arrays import Float32
from bundle.scoring import centre
from bundle.space_map import apply_map, inverse_map
from bundle.vectors import unit

RIDGES = (0.1, 1.0, 10.0, 100.0)  # pull towards the identity; crops have unit length
FOLDS = 5


@dataclass(frozen=True, eq=False)
class FittedMap:
    """`bundle.space_map.apply_map` with how well it does; its results are scaled to unit length."""

    table: Float32  # (dim + 1, dim); the last row is added
    error: float  # mean 1 − cosine of mapped and real embedding of other audio, centred as for scoring
    unmapped_error: float  # the same for embeddings left as they are
    inverse_error: float  # the same on the way back, centred with the parent's mean
    crops: int  # fitted on

    def __call__(self, old: Float32) -> Float32:
        """Embeddings of the parent (n, dim) → of the child (n, dim), of unit length."""
        return unit(apply_map(self.table, old))


@dataclass(frozen=True, eq=False)
class HeldVoices:
    """Embeddings (n, dim) of audio under parent and child, and the mean (dim,) of either's scoring."""

    old: Float32
    new: Float32
    old_mean: ArrayLike
    new_mean: ArrayLike


def measure_map(table: Float32, crops: int, held: HeldVoices) -> FittedMap:
    """A map that is known, such as an adaptation, with its errors."""
    return FittedMap(
        table,
        _error(apply_map(table, held.old), held.new, held.new_mean),
        _error(held.old, held.new, held.new_mean),
        _error(apply_map(inverse_map(table), held.new), held.old, held.old_mean),
        crops,
    )


def fit_space_map(old: Float32, new: Float32, held: HeldVoices) -> FittedMap:
    """Ridge regression of the difference, so that little audio means little change.

    Args:
        old, new: (crops, dim) unit embeddings of the same crops under both models, to fit on.
        held: other audio, for the errors.
    """
    n = len(old)
    fold = np.arange(n) * min(FOLDS, n) // n  # contiguous: neighbours in a recording are alike

    def cross_validated(ridge: float) -> float:
        errors = [
            _error(
                apply_map(_fit(old[fold != f], new[fold != f], ridge), old[fold == f]),
                new[fold == f],
                held.new_mean,
            )
            for f in range(fold[-1] + 1)
        ]
        return float(np.mean(errors))

    best = min(RIDGES, key=cross_validated) if fold[-1] > 0 else RIDGES[-1]
    return measure_map(_fit(old, new, best), n, held)


def _fit(old: Float32, new: Float32, ridge: float) -> Float32:
    x = np.column_stack([old, np.ones(len(old))]).astype(np.float64)
    change = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ (new - old))
    identity = np.eye(x.shape[1], new.shape[1])
    return np.asarray(identity + change, np.float32)


def _error(mapped: Float32, real: Float32, mean: ArrayLike) -> float:
    return float(1 - (centre(unit(mapped), mean) * centre(real, mean)).sum(axis=1).mean())
