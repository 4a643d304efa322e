"""Mutual information between many codes and a few factors, by histograms, in bits.

The plug-in estimate is biased up by about (levels − 1)(bins − 1) / (2 n ln 2) bits. So compare figures only
between sets of about the same size. Mistrust a factor of hundreds of names with few samples a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float64

Levels = NDArray[np.intp]

ROUNDING = 1e-6  # a column whose range is this small a share of its values is constant up to float32 rounding
ENTRIES_AT_ONCE = 2_000_000  # bounds the memory of the joint histograms


@dataclass(frozen=True)
class Information:
    """Mutual information and entropies of d codes and f factors, in bits."""

    I: Float64  # noqa: E741 (d, f) mutual information of code and factor
    H_c: Float64  # (d,) entropy of each binned code
    H_f: Float64  # (f,) entropy of each factor's levels


def mutual_information(codes: Levels, factors: Levels) -> Information:
    """Information between every column of `codes` (n, d) and of `factors` (n, f), both levels from 0."""
    I = np.empty((codes.shape[1], factors.shape[1]))  # noqa: E741
    H_c, H_f = np.empty(codes.shape[1]), np.empty(factors.shape[1])
    for j, factor in enumerate(factors.T):
        for block, joint in joint_counts(codes, factor, int(factor.max()) + 1):
            H_c[block], H_f[j] = _entropy(joint.sum(axis=2)), _entropy(joint[0].sum(axis=0))
            I[block, j] = H_c[block] + H_f[j] - _entropy(joint.reshape(len(joint), -1))
    # Rounding leaves about 1e-15 where there is nothing, of either sign.
    return Information(np.where(I < 1e-12, 0.0, I), H_c, H_f)


def joint_counts(codes: Levels, factor: Levels, levels: int) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Joint histograms of blocks of codes with one factor: which codes, and (codes, bins, levels)."""
    rows, d = codes.shape
    bins = int(codes.max()) + 1
    step = max(1, ENTRIES_AT_ONCE // max(rows, bins * levels))
    for start in range(0, d, step):
        block = codes[:, start : start + step]
        cell = (np.arange(block.shape[1]) * bins + block) * levels + factor[:, None]
        counts = np.bincount(cell.ravel(), minlength=block.shape[1] * bins * levels)
        yield slice(start, start + step), counts.reshape(-1, bins, levels)


def binned(columns: Float64, bins: int) -> Levels:
    """Each column of (n, d) as levels from 0: its distinct values if at most `bins`, else equal-width bins.

    The bins of a column reach from its smallest to its largest value, so scale and offset do not matter.
    """
    low, width = columns.min(axis=0), np.ptp(columns, axis=0)
    varies = varying(columns)
    share = (columns - low) / np.where(varies, width, 1.0)
    # Rounded, so that a value on an edge stays on it whatever the scale.
    levels: Levels = np.clip(np.floor(np.round(share * bins, 9)), 0, bins - 1).astype(np.intp)
    levels[:, ~varies] = 0
    for j in np.flatnonzero(varies):
        # The first rows settle it for nearly every continuous column, without sorting them all.
        if len(np.unique(columns[: 8 * bins, j])) <= bins:
            values, inverse = np.unique(columns[:, j], return_inverse=True)
            if len(values) <= bins:
                levels[:, j] = inverse
    return levels


def varying(columns: Float64) -> NDArray[np.bool_]:
    """(d,) which columns of (n, d) vary by more than float32 rounding."""
    return np.asarray(np.ptp(columns, axis=0) > ROUNDING * np.abs(columns).max(axis=0))


def _entropy(counts: NDArray[np.intp]) -> Float64:
    """Entropy in bits over the last axis of counts."""
    p = counts / counts.sum(axis=-1, keepdims=True)
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1))
