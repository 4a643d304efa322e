from __future__ import annotations

from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from trainer.audio.folders import read_audio, read_folder
from trainer.cli import app
from trainer.corpora.syntone import write_syntone
from trainer.syntone.dataset import TIMBRES, SynTone


def test_writes_what_read_folder_reads(tmp_path: Path) -> None:
    grid = SynTone(amplitudes=3, frequencies=2)
    seen: list[int] = []
    report = write_syntone(grid, tmp_path / "out", on_clip=lambda: seen.append(1))
    assert (report.written, report.existing, len(seen)) == (24, 0, 24)
    clips = read_folder(tmp_path / "out", "train")
    assert len(clips) == 24
    for clip in clips:
        labels = clip.labels
        where = grid.factors == [
            TIMBRES.index(labels["timbre"]),
            float(labels["amplitude"]),
            float(labels["frequency_hz"]),
        ]
        (index,) = np.flatnonzero(where.all(1))
        np.testing.assert_allclose(read_audio(clip.path), grid.clips([index])[0], atol=1 / 32768)


def test_the_command_keeps_what_is_there(tmp_path: Path) -> None:
    command = ["data", "syntone", "--out", str(tmp_path), "--amplitudes", "2", "--frequencies", "3"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    assert "24 written, 0 already there" in " ".join(first.output.split())
    (tmp_path / "audio" / "sine" / "1.000_0440.00hz.flac").unlink()
    again = CliRunner().invoke(app, command)
    assert "1 written, 23 already there" in " ".join(again.output.split())
    write_syntone(SynTone(amplitudes=2, frequencies=2), tmp_path)  # 440 and 8000 Hz: a part of what is there
    assert len(read_folder(tmp_path)) == 24
    assert not list(tmp_path.rglob("*.partial"))
