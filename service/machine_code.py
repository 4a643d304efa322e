"""Loops of Python in machine code, by numba, which not every installation has."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from service.packages import installed

P = ParamSpec("P")
R = TypeVar("R")


def can_compile() -> bool:
    """Whether numba is installed; it is not imported."""
    return installed("numba")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`function` in machine code, without Python's global lock.

    The first call of the result compiles it, for seconds, or reads numba's cache.
    """
    from numba import njit  # takes half a second, needed only by a service that generates or is large

    machine_code: Callable[P, R]
    try:
        machine_code = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba can write no cache: compile in every process
        machine_code = njit(nogil=True)(function)
    return machine_code
