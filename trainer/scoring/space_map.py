"""A linear map from one model's voice embeddings to another's, for voices whose audio is gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from bundle.arrays import Float32
from bundle.scoring import centre
from bundle.space_map import apply_map
from bundle.vectors import unit

RIDGES = (0.1, 1.0, 10.0, 100.0)  # pull towards the identity; crops have unit length
FOLDS = 5


@dataclass(frozen=True)
class FittedMap:
    """`bundle.space_map.apply_map` with how well it does; its results are scaled to unit length."""

    table: Float32  # (dim + 1, dim); the last row is added
    error: float  # mean 1 − cosine of mapped and real embedding, centred as for scoring, on crops set aside
    unmapped_error: float  # the same for embeddings left as they are
    crops: int  # fitted on

    def __call__(self, old: Float32) -> Float32:
        """Embeddings of the parent (n, dim) → of the child (n, dim), of unit length."""
        return unit(apply_map(self.table, old))

    def save(self, path: Path) -> None:
        """As .npy, which the service reads without torch."""
        np.save(path, self.table, allow_pickle=False)


def fit_space_map(
    old: Float32, new: Float32, held_old: Float32, held_new: Float32, mean: ArrayLike
) -> FittedMap:
    """Ridge regression of the difference, so that little audio means little change.

    Args:
        old, new: (crops, dim) unit embeddings of the same crops under both models, to fit on.
        held_old, held_new: the same of other crops, for the error.
        mean: (dim,) of the new model's scoring.
    """
    n = len(old)
    fold = np.arange(n) * min(FOLDS, n) // n  # contiguous: neighbours in a recording are alike

    def cross_validated(ridge: float) -> float:
        errors = [
            _error(
                apply_map(_fit(old[fold != f], new[fold != f], ridge), old[fold == f]), new[fold == f], mean
            )
            for f in range(fold[-1] + 1)
        ]
        return float(np.mean(errors))

    best = min(RIDGES, key=cross_validated) if fold[-1] > 0 else RIDGES[-1]
    table = _fit(old, new, best)
    return FittedMap(
        table, _error(apply_map(table, held_old), held_new, mean), _error(held_old, held_new, mean), n
    )


def _fit(old: Float32, new: Float32, ridge: float) -> Float32:
    x = np.column_stack([old, np.ones(len(old))]).astype(np.float64)
    change = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ (new - old))
    identity = np.eye(x.shape[1], new.shape[1])
    return np.asarray(identity + change, np.float32)


def _error(mapped: Float32, real: Float32, mean: ArrayLike) -> float:
    return float(1 - (centre(unit(mapped), mean) * centre(real, mean)).sum(axis=1).mean())
