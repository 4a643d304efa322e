"""Centred voices as rows that are searched without a lock, while others write to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32

Indices = NDArray[np.intp]
_LEAST_CAPACITY = 64
_AT_ONCE = 4096  # rows read at once


class Rows(Protocol):
    """Numbered unit vectors (dim,). One thread writes at a time; others may search meanwhile.

    A search that meets a row just being written may miss it or see a part of it. So callers read the rows
    that a search names, and judge by what they read.
    """

    def write(self, row: int, vectors: Float32) -> None:
        """Writes vectors (n, dim) into consecutive rows from `row` on."""
        ...

    def clear(self, row: int) -> None:
        """Overwrites a row. It is not named by searches until it is written again."""
        ...

    def read(self, rows: Sequence[int] | Indices) -> Float32:
        """The vectors (n, dim) of some rows."""
        ...

    def nearest(self, probe: Float32, k: int) -> Indices:
        """The rows of the `k` largest products with a unit probe (dim,), in any order."""
        ...


def nearest_of(rows: Rows, some: Sequence[int], probe: Float32, k: int) -> Indices:
    """The rows of the `k` largest products with a unit probe (dim,) among `some`, in any order."""
    parts = [some[first : first + _AT_ONCE] for first in range(0, len(some), _AT_ONCE)]
    if not parts:
        return np.zeros(0, np.intp)
    scores = np.concatenate([rows.read(part) @ probe for part in parts])  # (some,)
    k = min(k, len(some))
    return np.asarray(some, np.intp)[np.argpartition(scores, len(some) - k)[len(some) - k :]]


class ExactRows:
    """Rows in float32: a search is one matrix product."""

    def __init__(self, dim: int) -> None:
        self._matrix: Float32 = np.zeros((_LEAST_CAPACITY, dim), np.float32)  # (capacity, dim)
        self._written = np.zeros(_LEAST_CAPACITY, np.bool_)  # (capacity,)
        self._end = 0  # no row from here on has been written

    def write(self, row: int, vectors: Float32) -> None:
        end = row + len(vectors)
        self._reserve(end)
        self._matrix[row:end] = vectors
        self._written[row:end] = True
        self._end = max(self._end, end)

    def clear(self, row: int) -> None:
        self._written[row] = False
        self._matrix[row] = 0

    def read(self, rows: Sequence[int] | Indices) -> Float32:
        vectors: Float32 = self._matrix[np.asarray(rows, np.intp)]
        return vectors

    def nearest(self, probe: Float32, k: int) -> Indices:
        end = self._end  # first: what grows meanwhile is longer
        scores = np.where(self._written[:end], self._matrix[:end] @ probe, -np.inf)  # (rows,)
        k = min(k, end)
        best = np.argpartition(scores, end - k)[end - k :]
        return best[np.isfinite(scores[best])]

    def _reserve(self, rows: int) -> None:
        capacity, dim = self._matrix.shape
        if rows <= capacity:
            return
        # Doubling: n additions copy fewer than 2n rows. The old arrays go on serving searches under way.
        grown = max(rows, 2 * capacity)
        matrix, written = np.zeros((grown, dim), np.float32), np.zeros(grown, np.bool_)
        matrix[:capacity], written[:capacity] = self._matrix, self._written
        self._matrix, self._written = matrix, written
