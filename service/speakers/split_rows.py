"""Rows for many voices: one byte a component is searched, a second byte decides. The answer stays exact.

A component is an integer of 16 bits, kept as two bytes in two arrays. A search reads the upper bytes alone:
a quarter of what float32 takes, and memory is what a search waits for. It gives each row a score with a bound
of its error, by Cauchy and Schwarz. Rows whose bound reaches the k-th best are read with both bytes. So no
row among the k best can be missed. What the 16 bits leave out changes a score by less than 0.0001.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from service.machine_code import compiled
from service.speakers.rows import Indices

Int8 = NDArray[np.int8]
Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]

_BLOCK = 1 << 16  # rows: 16 MiB of upper bytes at 256 components
_UPPER_STEPS = 127
_LOWER_STEPS = 256  # of one step of the upper byte
_PROBE_STEPS = 4095  # 127 · 4095 · dim stays below 2³¹ up to 4129 components
_ROUNDING = 1e-6  # of float32 in a score
_NOBODY: Indices = np.empty(0, np.intp)


class SplitRows:
    """`Rows` in blocks of 16-bit integers. Growing copies nothing, and a search uses several threads."""

    def __init__(self, dim: int, threads: int) -> None:
        self._dim = dim
        self._blocks: list[_Block] = []
        self._scan = _compiled()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, "search") if threads > 1 else None

    def write(self, row: int, vectors: Float32) -> None:
        done = 0
        while done < len(vectors):
            block, first = divmod(row + done, _BLOCK)
            while block >= len(self._blocks):
                self._blocks.append(_Block(self._dim))
            part = vectors[done : done + _BLOCK - first]
            self._blocks[block].write(first, part)
            done += len(part)

    def clear(self, row: int) -> None:
        block, first = divmod(row, _BLOCK)
        self._blocks[block].clear(first)

    def read(self, rows: Sequence[int] | Indices) -> Float32:
        rows = np.asarray(rows, np.intp)
        vectors = np.empty((len(rows), self._dim), np.float32)
        blocks = rows // _BLOCK
        for block in np.unique(blocks):
            here = blocks == block
            vectors[here] = self._blocks[block].read(rows[here] % _BLOCK)
        return vectors

    def nearest(self, probe: Float32, k: int) -> Indices:
        step = max(float(np.abs(probe).max()), 1e-30) / _PROBE_STEPS
        steps = np.rint(probe / step).astype(np.int16)  # (dim,)
        doubt = float(np.linalg.norm(probe - step * steps)) * 1.1 + _ROUNDING  # a row is hardly longer than 1
        blocks = list(enumerate(self._blocks))
        parts = [blocks[start :: self._threads] for start in range(self._threads)]

        def scan(part: list[tuple[int, _Block]]) -> _Scanned:
            lows = np.full(k, -np.inf, np.float32)  # the k largest lower bounds so far, smallest first
            products, rows = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
            highs = np.empty(_BLOCK, np.float32)
            scanned: list[tuple[Indices, Float32]] = []
            for number, block in part:
                n = self._scan(
                    block.upper, block.step, block.error, steps, step, doubt, products, lows, rows, highs
                )
                scanned.append((rows[:n].astype(np.intp) + number * _BLOCK, highs[:n].copy()))
            return lows, scanned

        others = [self._pool.submit(scan, part) for part in parts[1:]] if self._pool else []
        results = [scan(parts[0]), *(other.result() for other in others)]
        least = np.sort(np.concatenate([lows for lows, _ in results]))[-k]
        candidates = np.concatenate(
            [rows[highs >= least] for _, scanned in results for rows, highs in scanned] or [_NOBODY]
        )
        if len(candidates) <= k:
            return candidates
        scores = self.read(candidates) @ probe
        return candidates[np.argpartition(scores, -k)[-k:]]


_Scanned = tuple[Float32, list[tuple[Indices, Float32]]]


class _Block:
    """Rows at fixed places. A component is `step · (upper + lower / 256)`."""

    def __init__(self, dim: int) -> None:
        self.upper: Int8 = np.zeros((_BLOCK, dim), np.int8)
        self.lower: Int8 = np.zeros((_BLOCK, dim), np.int8)
        self.step: Float32 = np.zeros(_BLOCK, np.float32)
        #: Largest error of a score by upper bytes; -inf where nothing is written: no bound is then reached.
        self.error: Float32 = np.full(_BLOCK, -np.inf, np.float32)

    def write(self, first: int, vectors: Float32) -> None:
        rows = slice(first, first + len(vectors))
        step = np.maximum(np.abs(vectors).max(axis=1), 1e-30) / np.float32(_UPPER_STEPS)  # (n,)
        fine = np.rint(vectors * (_LOWER_STEPS / step)[:, None]).astype(np.int16)  # (n, dim)
        upper = (fine + np.int16(_LOWER_STEPS // 2)) >> 8
        self.upper[rows] = upper
        self.lower[rows] = fine - (upper << 8)
        self.step[rows] = step
        self.error[rows] = np.linalg.norm(vectors - step[:, None] * upper, axis=1)  # last: now it is searched

    def clear(self, row: int) -> None:
        self.error[row] = -np.inf
        self.step[row] = 0
        self.upper[row] = 0
        self.lower[row] = 0

    def read(self, rows: Indices) -> Float32:
        vectors = self.upper[rows].astype(np.float32)
        vectors *= _LOWER_STEPS
        vectors += self.lower[rows]
        vectors *= (self.step[rows] / np.float32(_LOWER_STEPS))[:, None]
        return vectors


def _scan(
    upper: Int8,  # (rows, dim)
    step: Float32,  # (rows,)
    error: Float32,  # (rows,)
    probe: Int16,  # (dim,)
    probe_step: float,
    doubt: float,  # of the probe's own rounding, in a score
    products: Int32,  # (rows,) for use here
    lows: Float32,  # (k,) ascending; gets the largest lower bounds
    rows: Int32,  # gets the rows that may be among the k best
    highs: Float32,  # gets their upper bounds
) -> int:
    """One pass over a block. Returns how many rows it wrote."""
    for row in range(upper.shape[0]):  # a loop by itself, so that the compiler makes vectors of it
        product = np.int32(0)
        for i in range(upper.shape[1]):
            product += np.int32(upper[row, i]) * np.int32(probe[i])
        products[row] = product
    n = 0
    for row in range(upper.shape[0]):
        score = np.float32(products[row]) * step[row] * np.float32(probe_step)
        doubts = error[row] + np.float32(doubt)
        if score + doubts < lows[0] or doubts < 0:
            continue
        rows[n] = row
        highs[n] = score + doubts
        n += 1
        low = score - doubts
        if low > lows[0]:
            at = 0
            while at + 1 < len(lows) and lows[at + 1] < low:
                lows[at] = lows[at + 1]
                at += 1
            lows[at] = low
    return n


@cache
def _compiled() -> Callable[..., int]:
    return compiled(_scan)
