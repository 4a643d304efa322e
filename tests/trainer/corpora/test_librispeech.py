from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from trainer.audio.folders import DataError, read_folder
from trainer.cli import app
from trainer.corpora.librispeech import Subset, recordings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An unpacked archive in LibriSpeech's layout: 2 speakers, 2 chapters each, 2 utterances a chapter."""
    rng = np.random.default_rng(0)
    for speaker in (84, 1272):
        for chapter in (1, 2):
            folder = tmp_path / "LibriSpeech" / "dev-clean" / str(speaker) / str(chapter)
            folder.mkdir(parents=True)
            lines = []
            for utterance in range(2):
                name = f"{speaker}-{chapter}-{utterance:04d}"
                soundfile.write(folder / f"{name}.flac", 0.1 * rng.normal(size=20_000), 16_000)
                lines.append(f"{name} WORDS OF {name}\n")
            (folder / f"{speaker}-{chapter}.trans.txt").write_text("".join(lines))
    return tmp_path


def test_lists_every_utterance(root: Path) -> None:
    utterances = recordings(root, Subset.DEV_CLEAN)
    assert len(utterances) == 8
    assert {(r.speaker, r.split) for r in utterances} == {("84", "test"), ("1272", "test")}
    assert utterances[0].labels == {"text": "WORDS OF 1272-1-0000"}
    assert all(recording.source.is_file() for recording in utterances)


def test_genders_are_those_of_the_archives_table(root: Path) -> None:
    lines = [
        "; a comment | of two",
        ";ID  |SEX| SUBSET",
        "84   | F | dev-clean | 8.02 | A. Name",
        "1272 | M | dev-clean | 8 | B",
    ]
    (root / "LibriSpeech" / "SPEAKERS.TXT").write_text("\n".join(lines))
    utterances = recordings(root, Subset.DEV_CLEAN)
    assert {(r.speaker, r.labels["gender"]) for r in utterances} == {("84", "f"), ("1272", "m")}


def test_command_writes_the_folder_and_skips_what_is_broken(root: Path, tmp_path: Path) -> None:
    (root / "LibriSpeech/dev-clean/84/1/84-1-0000.flac").write_bytes(b"fLaC")
    command = [
        "data",
        "librispeech",
        "--root",
        str(root),
        "--subset",
        "dev-clean",
        "--out",
        str(tmp_path / "out"),
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "84-1-0000.flac" in result.output.replace("\n", "")
    clips = read_folder(tmp_path / "out", "test")
    assert len(clips) == 7
    assert clips[0].labels["text"] == "WORDS OF 1272-1-0000"
    assert CliRunner().invoke(app, command).exit_code == 0
    assert len(read_folder(tmp_path / "out")) == 7


def test_archive_beside_the_folder_is_unpacked(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with tarfile.open(other / "dev-clean.tar.gz", "w:gz") as archive:
        archive.add(root / "LibriSpeech", "LibriSpeech")
    assert len(recordings(other, Subset.DEV_CLEAN, download=True)) == 8


def test_absent_subset_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--download"):
        recordings(tmp_path, Subset.TEST_OTHER)
    result = CliRunner().invoke(
        app, ["data", "librispeech", "--root", str(tmp_path), "--out", "x", "--subset", "no"]
    )
    assert result.exit_code == 2
    assert "train-clean-100" in result.output
