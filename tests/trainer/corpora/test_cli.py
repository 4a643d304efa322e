from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from trainer.audio.folders import read_folder
from trainer.cli import app

WriteTone = Callable[[Path, float, float, int], None]


@pytest.mark.parametrize(
    "corpus",
    [
        "alphanumeric",
        "commonvoice",
        "dspspeech20",
        "picovoice",
        "precise",
        "resemblyzer",
        "speechocean762",
    ],
)
def test_an_empty_folder_is_said(corpus: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["data", corpus, "--root", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert str(tmp_path.name) in result.output.replace("\n", "")
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_lossless_and_without_what_is_too_short(tmp_path: Path, write_tone: WriteTone) -> None:
    audio = tmp_path / "wake-word-benchmark" / "audio" / "jarvis"
    write_tone(audio / "long.wav", 200, 1.5, 0)
    write_tone(audio / "short.wav", 200, 0.5, 1)
    out = tmp_path / "out"
    command = ["data", "picovoice", "--root", str(tmp_path), "--out", str(out), "--lossless"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "short.wav: 0.5 s are too short" in " ".join(result.output.split())
    (clip,) = read_folder(out, "train")
    assert clip.path == out / "audio" / "jarvis_long.flac"
    assert (clip.speaker, clip.labels["word"]) == ("", "jarvis")
    before, _ = soundfile.read(audio / "long.wav", dtype="int16")
    after, _ = soundfile.read(clip.path, dtype="int16")
    assert (before == after).all()
    assert "0 written, 1 already there" in " ".join(CliRunner().invoke(app, command).output.split())
