"""What the benchmark ran on, and what that machine can do at best."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from trainer.machine import cpu_name

_SIDE = 2048  # of the matrices multiplied: 17 GFLOP, far beyond the caches
_REPEATS = 5


@dataclass(frozen=True)
class Machine:
    cpu: str
    cores: int  # that this process may use
    memory_gib: float
    load: float  # runnable processes over the last minute, before the run
    software: str


def describe() -> Machine:
    """This machine, without its name."""
    return Machine(
        cpu=cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        load=os.getloadavg()[0],
        software=", ".join(
            [f"Python {platform.python_version()}"]
            + [f"{name} {version(name)}" for name in ("onnxruntime", "numpy", "torch")]
        ),
    )


def sgemm_rate(threads: int) -> float:
    """FLOP/s of numpy's float32 matrix product, best of a few: the yardstick for the encoders."""
    a = np.random.default_rng(0).normal(size=(_SIDE, _SIDE)).astype(np.float32)
    out = np.empty_like(a)
    best = float("inf")
    with threadpool_limits(threads):
        for _ in range(_REPEATS):
            start = perf_counter()
            np.matmul(a, a, out=out)
            best = min(best, perf_counter() - start)
    return 2 * _SIDE**3 / best
