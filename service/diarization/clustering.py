"""Which pieces of speech are one voice: agglomerative clustering with a calibrated stopping rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.scoring import Scorer


@dataclass(frozen=True)
class Hints:
    """What the caller knows of the number of voices."""

    least: int = 1
    most: int | None = None


class LikelihoodRatio:
    """Natural-log likelihood ratio of one voice against two, for two samples of any length.

    A bundle's calibration is for a probe of s seconds against an enrolment of about ENROLMENT_S. Here both
    sides may be short. The variance of an embedding falls with its seconds, so the variances of both sides
    add: 1/s = 1/s_1 + 1/s_2 − 1/ENROLMENT_S, within the range of the calibration.
    """

    ENROLMENT_S = 10.0
    _SHORTEST_S, _LONGEST_S = 0.5, 16.0

    def __init__(self, scorer: Scorer) -> None:
        grid = np.geomspace(self._SHORTEST_S, self._LONGEST_S, 21)
        calibrations = [scorer.calibration(float(seconds)) for seconds in grid]
        self._log_grid = np.log(grid)
        self._slopes = np.array([c.slope for c in calibrations])
        self._intercepts = np.array([c.intercept for c in calibrations])

    def __call__(self, scores: Float64, seconds: Float64 | float, others: Float64 | float) -> Float64:
        """Of scores (...,) between samples with so many seconds of speech."""
        inverse = 1 / np.asarray(seconds) + 1 / np.asarray(others) - 1 / self.ENROLMENT_S
        s = np.log(1 / np.clip(inverse, 1 / self._LONGEST_S, 1 / self._SHORTEST_S))
        slope = np.interp(s, self._log_grid, self._slopes)
        intercept = np.interp(s, self._log_grid, self._intercepts)
        return np.asarray(slope * scores + intercept)


def agglomerate(
    vectors: Float32, seconds: Float64, ratio: LikelihoodRatio, *, prior: float, hints: Hints
) -> NDArray[np.intp]:
    """Merges the two likeliest clusters until no two are one voice at this prior.

    Args:
        vectors: (pieces, dim) centred unit embeddings.
        seconds: (pieces,) of speech.
        prior: that two clusters of a recording are one voice.
        hints: merging goes on above `most` clusters, and stops at `least`.

    Returns:
        (pieces,) cluster of each, numbered from 0 in the order of their first piece.
    """
    n = len(vectors)
    sums = vectors.astype(np.float64) * seconds[:, None]
    weights = seconds.astype(np.float64).copy()
    alive = np.ones(n, bool)
    labels = np.arange(n)
    floor = -math.log(prior / (1 - prior))
    units = vectors.astype(np.float64)
    values = ratio(units @ units.T, weights[:, None], weights[None, :])
    np.fill_diagonal(values, -np.inf)
    best = values.argmax(axis=1)
    count = n
    while count > hints.least:
        top = values[np.arange(n), best]
        i = int(np.argmax(np.where(alive, top, -np.inf)))
        j = int(best[i])
        if values[i, j] < floor and (hints.most is None or count <= hints.most):
            break
        sums[i] += sums[j]
        weights[i] += weights[j]
        units[i] = sums[i] / np.linalg.norm(sums[i])
        alive[j] = False
        labels[labels == j] = i
        row = ratio(units @ units[i], weights, weights[i])
        row[~alive] = -np.inf
        row[i] = -np.inf
        values[i], values[:, i] = row, row
        values[j], values[:, j] = -np.inf, -np.inf
        stale = alive & ((best == i) | (best == j))
        best[stale] = values[stale].argmax(axis=1)
        better = alive & (row > values[np.arange(n), best])
        best[better] = i
        best[i] = int(row.argmax())
        count -= 1
    return in_order(labels)


def in_order(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same clusters, numbered from 0 in the order in which they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse])
