"""CPU quotas of containers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.inference import available_cpus, inference_threads

CORES = len(os.sched_getaffinity(0))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_no_cgroup_means_the_affinity_mask(tmp_path: Path) -> None:
    assert available_cpus(tmp_path, tmp_path / "none") == CORES


@pytest.mark.parametrize(("text", "cpus"), [("50000 100000\n", 0.5), ("max 100000\n", CORES), ("odd", CORES)])
def test_version_2(tmp_path: Path, text: str, cpus: float) -> None:
    _write(tmp_path / "cpu.max", text)
    assert available_cpus(tmp_path, tmp_path / "none") == cpus


def test_version_2_takes_the_tightest_ancestor(tmp_path: Path) -> None:
    _write(tmp_path / "cgroup", "0::/a/b\n")
    _write(tmp_path / "a" / "cpu.max", "25000 100000")
    _write(tmp_path / "a" / "b" / "cpu.max", "75000 100000")
    assert available_cpus(tmp_path, tmp_path / "cgroup") == 0.25


@pytest.mark.parametrize(("quota", "cpus"), [("50000", 0.5), ("-1", CORES)])
def test_version_1(tmp_path: Path, quota: str, cpus: float) -> None:
    _write(tmp_path / "cpu" / "cpu.cfs_quota_us", quota)
    _write(tmp_path / "cpu" / "cpu.cfs_period_us", "100000")
    assert available_cpus(tmp_path, tmp_path / "none") == cpus


def test_threads_are_whole_and_at_least_one() -> None:
    assert inference_threads(3) == 3
    assert inference_threads(0) == max(1, int(available_cpus()))
