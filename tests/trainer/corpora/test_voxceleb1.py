from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from trainer.audio.folders import DataError, read_folder
from trainer.cli import app
from trainer.corpora.voxceleb1 import recordings

HEADER = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
ROWS = (
    "id10001\tA.J._Buckley\tm\tIreland\tdev\n"
    "id10270\tEartha_Kitt\tf\tUSA\ttest\n"
    "id10271\tSomebody_Else\tf\tUSA\ttest\n"  # not among the files
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The public layout: 2 speakers, 2 videos each, 2 utterances a video, numbered anew in each video."""
    rng = np.random.default_rng(0)
    for speaker in ("id10001", "id10270"):
        for video in ("1zcIwhmdeo4", "-9mImQUNk4A"):
            folder = tmp_path / "vox" / "wav" / speaker / video
            folder.mkdir(parents=True)
            for number in (1, 2):
                soundfile.write(folder / f"{number:05d}.wav", 0.1 * rng.normal(size=20_000), 16_000)
    (tmp_path / "vox" / "vox1_meta.csv").write_text(HEADER + ROWS)
    return tmp_path / "vox"


def test_lists_every_utterance_with_its_labels(root: Path) -> None:
    utterances = recordings(root)
    assert len(utterances) == len({(recording.speaker, recording.clip) for recording in utterances}) == 8
    assert {(recording.speaker, recording.split, *recording.labels.values()) for recording in utterances} == {
        ("id10001", "train", "m", "Ireland"),
        ("id10270", "test", "f", "USA"),
    }
    first = utterances[0]
    assert (first.clip, set(first.labels)) == ("-9mImQUNk4A-00001", {"gender", "nationality"})
    assert first.source == root / "wav" / "id10001" / "-9mImQUNk4A" / "00001.wav"


def test_command_writes_the_folder_and_goes_on(root: Path, tmp_path: Path) -> None:
    (root / "wav/id10270/1zcIwhmdeo4/00002.wav").write_bytes(b"RIFF")
    command = ["data", "voxceleb1", "--root", str(root), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "00002.wav" in result.output.replace("\n", "")
    assert len(read_folder(tmp_path / "out", "train")) == 4
    clips = read_folder(tmp_path / "out", "test")
    assert len(clips) == 3
    assert (clips[0].speaker, clips[0].labels["nationality"]) == ("id10270", "USA")
    again = CliRunner().invoke(app, command)
    assert "0 written, 7 already there, 1 skipped" in " ".join(again.output.split())


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda root: (root / "wav").rename(root / "elsewhere"), "give --root the folder above wav/"),
        (lambda root: (root / "vox1_meta.csv").unlink(), r"vox1_meta\.csv cannot be read"),
        (lambda root: (root / "vox1_meta.csv").write_text("a,b\n1,2\n"), "'VoxCeleb1 ID' is missing"),
        (
            lambda root: (root / "vox1_meta.csv").write_text(HEADER + "id1\tA\tm\tUK\tval\n"),
            "'val' is missing",
        ),
        (lambda root: (root / "vox1_meta.csv").write_text(HEADER), "does not list"),
        (lambda root: [file.unlink() for file in root.glob("wav/*/*/*")], "holds no SPEAKER/VIDEO"),
    ],
)
def test_what_is_wrong_is_said(root: Path, break_it: object, complaint: str) -> None:
    assert callable(break_it)
    break_it(root)
    with pytest.raises(DataError, match=complaint):
        recordings(root)
    result = CliRunner().invoke(app, ["data", "voxceleb1", "--root", str(root), "--out", "x"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
