from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from trainer.audio.folders import DataError, read_folder
from trainer.cli import app
from trainer.corpora.nsynth import PAPER_FAMILIES, recordings

INSTRUMENTS = {  # of each archive
    "nsynth-train": ("guitar_acoustic_010", "string_acoustic_056", "bass_synthetic_009"),
    "nsynth-valid": ("guitar_acoustic_021",),
    "nsynth-test": ("guitar_acoustic_021", "mallet_acoustic_062", "guitar_electronic_022"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The public layout, two notes an instrument."""
    rng = np.random.default_rng(0)
    for part, instruments in INSTRUMENTS.items():
        (tmp_path / part / "audio").mkdir(parents=True)
        examples = {}
        for instrument in instruments:
            family, source, _ = instrument.rsplit("_", 2)
            for pitch, velocity in ((60, 25), (72, 127)):
                note = f"{instrument}-{pitch:03d}-{velocity:03d}"
                soundfile.write(
                    tmp_path / part / "audio" / f"{note}.wav", 0.1 * rng.normal(size=64_000), 16_000
                )
                examples[note] = {
                    "note_str": note,
                    "instrument_str": instrument,
                    "instrument_family_str": family,
                    "instrument_source_str": source,
                    "pitch": pitch,
                    "velocity": velocity,
                    "sample_rate": 16000,
                    "qualities_str": [],
                }
        (tmp_path / part / "examples.json").write_text(json.dumps(examples))
    return tmp_path


def test_the_papers_notes(root: Path) -> None:
    notes = recordings(root, families=PAPER_FAMILIES, sources=["acoustic"])
    assert {(one.speaker, one.split, one.labels["family"]) for one in notes} == {
        ("guitar_acoustic_010", "train", "guitar"),
        ("string_acoustic_056", "train", "string"),
        ("guitar_acoustic_021", "test", "guitar"),
        ("mallet_acoustic_062", "test", "mallet"),
    }
    assert len(notes) == 8
    assert notes[0].labels == {"family": "guitar", "source": "acoustic", "pitch": "60", "velocity": "25"}
    assert notes[0].source.is_file()


def test_command_writes_the_folder_and_goes_on(root: Path, tmp_path: Path) -> None:
    command = ["data", "nsynth", "--root", str(root), "--out", str(tmp_path / "out")]
    options = ["--family", "guitar", "--source", "acoustic", "--source", "electronic"]
    result = CliRunner().invoke(app, [*command, *options])
    assert result.exit_code == 0, result.output
    assert len(read_folder(tmp_path / "out", "train")) == 2
    assert {clip.speaker for clip in read_folder(tmp_path / "out", "test")} == {
        "guitar_acoustic_021",
        "guitar_electronic_022",
    }
    again = CliRunner().invoke(app, command)
    assert "4 written, 4 already there" in " ".join(again.output.split())
    wrong = CliRunner().invoke(app, [*command, "--family", "strings"])
    assert wrong.exit_code == 2
    assert "synth_lead" in wrong.output


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "not as published"),
        ('{"a": {"pitch": 60}}', "note a is not as published"),
        ("{}", "no note of guitar"),
    ],
)
def test_what_is_wrong_is_said(root: Path, write: str | None, complaint: str) -> None:
    for part in INSTRUMENTS:
        (root / part / "examples.json").unlink()
        if write is not None:
            (root / part / "examples.json").write_text(write)
    with pytest.raises(DataError, match=complaint):
        recordings(root, families=["guitar"], sources=["acoustic"])
    with pytest.raises(DataError, match="nsynth-train"):
        recordings(root / "nsynth-train", families=["guitar"], sources=["acoustic"])
    result = CliRunner().invoke(app, ["data", "nsynth", "--root", str(root), "--out", "x"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
