"""What a process holds: memory, open files and threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Vitals:
    """Of a process and its children, at one moment."""

    memory_mib: float
    handles: int
    threads: int


def vitals(pid: int, *, children: bool = False) -> Vitals:
    """Of the process, or of all its children, together."""
    pids = _children(pid) if children else [pid]
    parts = [_of(each) for each in pids]
    return Vitals(
        sum(part.memory_mib for part in parts),
        sum(part.handles for part in parts),
        sum(part.threads for part in parts),
    )


def thirds(samples: list[Vitals]) -> tuple[Vitals, Vitals]:
    """Medians of the first and of the last third."""
    length = max(1, len(samples) // 3)
    return _median(samples[:length]), _median(samples[-length:])


def _median(samples: list[Vitals]) -> Vitals:
    return Vitals(
        float(np.median([sample.memory_mib for sample in samples])),
        int(np.median([sample.handles for sample in samples])),
        int(np.median([sample.threads for sample in samples])),
    )


def _of(pid: int) -> Vitals:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        handles = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:  # a child that has just ended
        return Vitals(0.0, 0, 0)
    fields = dict(line.split(":", 1) for line in lines)
    memory_kib = int(fields.get("VmRSS", "0 kB").split()[0])
    return Vitals(memory_kib / 1024, handles, int(fields["Threads"]))


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]
