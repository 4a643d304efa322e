from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from trainer.audio.folders import DataError, read_folder
from trainer.cli import app
from trainer.corpora.speechcommands import recordings

ARCHIVE = Path("SpeechCommands/speech_commands_v0.02")
SUBSETS = {"0a7c2a8d": "training", "1b88bf70": "validation", "2c6d3924": "testing"}  # a speaker each


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An unpacked archive: 3 words of 3 speakers, twice each, and the background noise that is no word."""
    rng = np.random.default_rng(0)
    lists: dict[str, list[str]] = {subset: [] for subset in SUBSETS.values()}
    for word in ("seven", "zero", "bed", "_background_noise_"):
        folder = tmp_path / ARCHIVE / word
        folder.mkdir(parents=True)
        if word.startswith("_"):
            soundfile.write(folder / "pink_noise.wav", 0.1 * rng.normal(size=16_000), 16_000)
            continue
        for speaker, subset in SUBSETS.items():
            for number in (0, 1):
                name = f"{speaker}_nohash_{number}.wav"
                soundfile.write(folder / name, 0.1 * rng.normal(size=16_000), 16_000)
                lists[subset].append(f"{word}/{name}\n")
    for subset in ("validation", "testing"):
        (tmp_path / ARCHIVE / f"{subset}_list.txt").write_text("".join(lists[subset]))
    return tmp_path


def test_the_lists_decide_the_split(root: Path) -> None:
    words = recordings(root)
    assert len(words) == len({(recording.speaker, recording.clip) for recording in words}) == 18
    assert {(recording.speaker, recording.split, recording.labels["subset"]) for recording in words} == {
        ("0a7c2a8d", "train", "training"),
        ("1b88bf70", "train", "validation"),
        ("2c6d3924", "test", "testing"),
    }
    assert all(recording.source.is_file() for recording in words)
    assert all(recording.source.parent.name == recording.labels["word"] for recording in words)


def test_digits_are_s09(root: Path, tmp_path: Path) -> None:
    command = ["data", "speechcommands", "--root", str(root), "--digits", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    test = read_folder(tmp_path / "out", "test")
    assert [(clip.path.stem, clip.labels["word"]) for clip in test] == [
        ("seven-0", "seven"),
        ("seven-1", "seven"),
        ("zero-0", "zero"),
        ("zero-1", "zero"),
    ]
    assert len(read_folder(tmp_path / "out", "train")) == 8
    again = CliRunner().invoke(app, command)
    assert "0 written, 12 already there" in " ".join(again.output.split())


def test_an_archive_that_lies_there_is_unpacked(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with tarfile.open(other / "speech_commands_v0.02.tar.gz", "w:gz") as archive:
        archive.add(root / ARCHIVE, ".")
    assert len(recordings(other, download=True)) == 18


def test_what_is_wrong_is_said(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--download"):
        recordings(tmp_path / "nowhere")
    (root / ARCHIVE / "testing_list.txt").unlink()
    with pytest.raises(DataError, match=r"testing_list\.txt"):
        recordings(root)
    result = CliRunner().invoke(app, ["data", "speechcommands", "--root", str(root), "--out", "x"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
