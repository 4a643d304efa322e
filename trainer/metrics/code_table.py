"""Codes and factors as the disentanglement measures need them: checked, as numbers and as levels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float64
from trainer.metrics.information import Levels, binned


@dataclass(frozen=True)
class CodeTable:
    """Checked codes and factors of n samples, d codes, f factors."""

    codes: Float64  # (n, d)
    code_levels: Levels  # (n, d)
    numbers: list[Float64 | None]  # a factor's values (n,), or None where they are names
    factor_levels: Levels  # (n, f)


def read(codes: ArrayLike, factors: ArrayLike, bins: int, nominal: Collection[int]) -> CodeTable:
    """Checks and reads both arrays; arguments and errors as for `trainer.metrics.disentanglement`."""
    values = read_codes(codes)
    table = np.asarray(factors)
    if table.ndim != 2 or not table.size:
        raise ValueError(
            f"`factors` must be (n, f) and not empty, got {table.shape}: reshape one factor to (n, 1)."
        )
    if len(values) != len(table):
        raise ValueError(f"Give a row of factors for each row of codes: got {len(table)} for {len(values)}.")
    if bins < 2:
        raise ValueError(f"`bins` must be at least 2, got {bins}.")
    if not set(nominal) <= set(range(table.shape[1])):
        raise ValueError(f"`nominal` lists columns of the {table.shape[1]} factors, got {sorted(nominal)}.")
    columns = [_read_factor(column, j, j in nominal, bins) for j, column in enumerate(table.T)]
    numbers, levels = zip(*columns, strict=True)
    return CodeTable(values, binned(values, bins), list(numbers), np.stack(levels, axis=1))


def read_codes(codes: ArrayLike) -> Float64:
    """Codes as numbers (n, d).

    Raises:
        ValueError: not 2-D, empty, or with values that are not finite.
    """
    array = np.asarray(codes, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"`codes` must be (n, d) and not empty, got {array.shape}: one row a sample.")
    if not np.isfinite(array).all():
        raise ValueError("`codes` holds NaN or infinite values: leave those rows out, of the factors too.")
    return array


def _read_factor(
    column: NDArray[np.generic], j: int, nominal: bool, bins: int
) -> tuple[Float64 | None, Levels]:
    """A factor's values, or None where they are names, and its levels (n,)."""
    entries = column.tolist()
    if any(entry is None or entry != entry for entry in entries):
        raise ValueError(
            f"Factor {j} holds a missing value (NaN or None): leave those rows out, of the codes too."
        )
    typed = np.asarray(entries)  # an object column shows here whether it is all numbers
    if nominal or typed.dtype.kind not in "biuf":
        values = None
        levels = np.unique(typed, return_inverse=True)[1]
    else:
        values = typed.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"Factor {j} holds an infinite value: leave those rows out, of the codes too.")
        levels = binned(values[:, None], bins)[:, 0]
    if not levels.any():
        raise ValueError(f"Factor {j} does not vary, so no code can tell it: leave the column out.")
    return values, levels
