"""Two runs of a benchmark side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.compare import FiguresError, compare
from benchmarks.performance.table import Measurement


def write(path: Path, rows: list[Measurement]) -> Path:
    path.write_text(json.dumps({row.name: row.figures() for row in rows}))
    return path


def row(version: str, speed: float, p50_s: float) -> Measurement:
    return Measurement(
        f"net/{version}", cores=2, load="batch 1", audio_s_per_s=speed, p50_s=p50_s, kind="encoder"
    )


def test_versions_of_a_model_are_one_row_and_rates_are_better_when_larger(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", [row("1.0.0", 500, 0.02), Measurement("gone", p50_s=1.0)])
    new = write(tmp_path / "new.json", [row("1.1.0", 250, 0.01)])
    comparison = compare(old, new)
    speed, latency = comparison.changes
    assert (speed.name, speed.ratio, speed.worse) == ("encoder, cores 2, batch 1: audio_s_per_s", 0.5, 2.0)
    assert (latency.ratio, latency.worse) == (0.5, 0.5)
    assert comparison.alone == ["gone: p50_s"]
    assert comparison.markdown().splitlines()[2:] == [
        "| encoder, cores 2, batch 1: audio_s_per_s | 500 | 250 | 0.50 |",
        "| encoder, cores 2, batch 1: p50_s | 0.02 | 0.01 | 0.50 |",
        "In one run only: gone: p50_s",
    ]


def test_a_figure_that_got_worse_ends_with_status_1(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", [row("1", 500, 0.02)])
    new = write(tmp_path / "new.json", [row("2", 350, 0.02)])
    invoke = CliRunner().invoke
    assert invoke(app, ["compare", str(old), str(new), "--worse-than", "1.5"]).exit_code == 0
    worse = invoke(app, ["compare", str(old), str(new), "--worse-than", "1.3"])
    assert worse.exit_code == 1
    assert "audio_s_per_s" in worse.stderr


def test_lists_are_compared_by_place(tmp_path: Path) -> None:
    for name, times in (("old", [1.0, 4.0]), ("new", [2.0, 2.0])):
        (tmp_path / f"{name}.json").write_text(json.dumps({"10000": {"search_ms": times, "note": "text"}}))
    changes = compare(tmp_path / "old.json", tmp_path / "new.json").changes
    assert [(change.name, change.ratio) for change in changes] == [
        ("10000: search_ms 0", 2.0),
        ("10000: search_ms 1", 0.5),
    ]


def test_what_shares_nothing_is_said(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", [row("1", 500, 0.02)])
    (tmp_path / "new.json").write_text("{}")
    with pytest.raises(FiguresError, match="no figure in common"):
        compare(old, tmp_path / "new.json")
    with pytest.raises(FiguresError, match="cannot be read"):
        compare(old, tmp_path / "missing.json")
