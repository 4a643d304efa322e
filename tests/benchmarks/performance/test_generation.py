"""The rows of generation, without what they measure."""

from __future__ import annotations

from pathlib import Path

from benchmarks.performance.generation import generation_speed, newest_generator
from tests.service.generation.tiny_generator import write_generator


def test_without_a_bundle_one_row_says_so(tmp_path: Path) -> None:
    assert newest_generator(tmp_path) is None
    (row,) = generation_speed(None)
    assert "skipped" in (row.note or "")


def test_every_stage_has_a_row(tmp_path: Path) -> None:
    write_generator(tmp_path, "0.2.0", day=1)
    newest = write_generator(tmp_path, "0.1.0", day=2)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "bundle.json").write_text("{}")
    assert newest_generator(tmp_path) == newest
    rows = list(generation_speed(newest))
    assert [row.what for row in rows] == [
        f"generation, {stage}: gaae/0.1.0" for stage in ("network", "PGHI", "whole")
    ]
    assert all(row.audio_s_per_s for row in rows)
