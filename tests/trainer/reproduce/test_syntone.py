from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainer.cli import app
from trainer.syntone.settings import SETTINGS


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    tiny = ["--runs", "2", "--epochs", "1", "--amplitudes", "3", "--frequencies", "12"]
    folders = ["--work", str(tmp_path / "work"), "--page", str(tmp_path / "docs" / "syntone.md")]
    return ["reproduce", "syntone", *tiny, *folders]


def test_page_pictures_and_going_on(tmp_path: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "docs" / "syntone.md").read_text()
    for words in (
        "144 clips, of which 14 are held out. 2 trainings",
        "| **FactorVAE** |",
        "| β-VAE, paper (order swapped) | 0.184 ±",
    ):
        assert words in page
    for encoder in ("E, timbre, clip", "E', pitch, view, untrained"):
        assert f"| {encoder} |" in page
    pictures = {path.name: path for path in (tmp_path / "docs" / "syntone").iterdir()}
    names = [f"{name}{kind}.png" for name in SETTINGS for kind in ("", "_sound", "_traversal")]
    assert set(pictures) == {*names, "told.png"}
    for name, path in pictures.items():
        assert f"syntone/{name}" in page
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 150_000

    # A second call trains only what is missing, and takes the rest from the files.
    first, second = (tmp_path / "work" / "rows" / f"vae-{run}.json" for run in (0, 1))
    row = json.loads(first.read_text())
    row["figures"]["scores"]["mig"] = 0.75
    first.write_text(json.dumps(row))
    second.unlink()
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert "step" not in again.output
    mean = (0.75 + json.loads(second.read_text())["figures"]["scores"]["mig"]) / 2
    assert f"| **VAE** | {mean:.3f} ±" in (tmp_path / "docs" / "syntone.md").read_text()

    other = CliRunner().invoke(app, [*command, "--epochs", "2"])
    assert other.exit_code == 1
    assert "other settings" in other.output
