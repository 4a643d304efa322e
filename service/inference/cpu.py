"""How many CPUs this process may use: the container's quota, not the machine's cores."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_SELF_CGROUP = Path("/proc/self/cgroup")


def available_cpus(root: Path = _CGROUP_ROOT, membership: Path = _SELF_CGROUP) -> float:
    """The tightest of affinity mask, cgroup v2 `cpu.max` and cgroup v1 CFS quota; may be a fraction."""
    limits = [float(len(os.sched_getaffinity(0)))]
    limits += [q for folder in _v2_folders(root, membership) if (q := _v2_quota(folder)) is not None]
    if (v1 := _v1_quota(root / "cpu")) is not None:
        limits.append(v1)
    return min(limits)


def inference_threads(setting: int) -> int:
    """Threads of one ONNX call: the setting, or for 0 the whole CPUs available (at least one)."""
    return setting or max(1, int(available_cpus()))


def _v2_folders(root: Path, membership: Path) -> list[Path]:
    """This process's own cgroup and all above it: each of them can hold a quota."""
    folders = [root]
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return folders
    for line in lines:
        if line.startswith("0::/"):
            cgroup = root / line.removeprefix("0::/")
            folders += [p for p in (cgroup, *cgroup.parents) if p.is_relative_to(root) and p != root]
    return folders


def _v2_quota(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _v1_quota(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
