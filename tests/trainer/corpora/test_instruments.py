from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from trainer.audio.folders import DataError, read_audio, read_folder
from trainer.cli import app
from trainer.corpora.instruments import (
    INSTRUMENTS,
    PACKAGES,
    SOUNDFONT,
    VELOCITIES,
    Instrument,
    write_instruments,
)
from trainer.corpora.midi import write_notes

MARIMBA, VIOLIN = (one for one in INSTRUMENTS if one.name in ("marimba", "violin"))


@pytest.fixture
def fluidsynth() -> None:
    if shutil.which("fluidsynth") is None or not SOUNDFONT.is_file():
        pytest.skip(f"fluidsynth or its soundfont is not installed ({PACKAGES}): this test renders notes")


def test_midi_bytes(tmp_path: Path) -> None:
    write_notes(tmp_path / "x.mid", [(60, 100), (64, 25)], program=12, held_s=0.5, spacing_s=1.0)
    data = (tmp_path / "x.mid").read_bytes()
    header, track = data[:14], data[14:]
    assert header == bytes.fromhex("4d546864 00000006 0000 0001 03e8")
    assert track[:8] == b"MTrk" + (len(track) - 8).to_bytes(4, "big")
    assert track[8:].hex(" ") == (
        "00 ff 51 03 0f 42 40 "  # a quarter note is 1,000,000 µs
        "00 c0 0c "
        "00 90 3c 64 83 74 80 3c 00 83 42 b0 78 00 "  # 500 and 450 ticks on
        "32 90 40 19 83 74 80 40 00 83 42 b0 78 00 "
        "87 68 ff 2f 00"
    )


def test_no_instrument_is_in_both_splits() -> None:
    assert len({one.program for one in INSTRUMENTS}) == len(INSTRUMENTS)
    for family in ("guitar", "string", "mallet"):
        splits = [one.split for one in INSTRUMENTS if one.family == family]
        assert (splits.count("train"), splits.count("test")) == (4, 1)


@pytest.mark.usefixtures("fluidsynth")
def test_notes_have_their_pitch_and_velocity(tmp_path: Path) -> None:
    def render(*pitches: int) -> tuple[int, int, list[str]]:
        report = write_instruments(
            tmp_path, pitches=pitches, velocities=(50, 127), instruments=(MARIMBA, VIOLIN)
        )
        return report.written, report.existing, report.skipped

    assert render(57, 69) == (8, 0, [])
    clips = read_folder(tmp_path)
    assert {(clip.speaker, clip.split, clip.labels["family"], clip.labels["preset"]) for clip in clips} == {
        ("mallet_012", "test", "mallet", "marimba"),
        ("string_040", "train", "string", "violin"),
    }
    loudness = {}
    for clip in clips:
        samples = read_audio(clip.path)
        assert samples.size == 16_000
        pitch, velocity = int(clip.labels["pitch"]), int(clip.labels["velocity"])
        loudness[clip.speaker, pitch, velocity] = float(np.abs(samples).max())
        spectrum = np.abs(np.fft.rfft(samples))  # a bin a hertz
        harmonic = 440 * 2 ** ((pitch - 69) / 12) * np.arange(1, 5)
        near = [spectrum[round(hz) - 6 : round(hz) + 7].max() for hz in harmonic]
        assert max(near) == spectrum.max()
    for speaker, pitch, velocity in loudness:
        assert loudness[speaker, pitch, 127] >= loudness[speaker, pitch, velocity]
        assert loudness[speaker, pitch, 127] > 1.5 * loudness[speaker, pitch, 50]

    assert render(57, 69) == (0, 8, [])
    (tmp_path / "audio" / "string_040" / "057-050.opus").unlink()
    assert render(57, 69, 81) == (5, 7, [])


@pytest.mark.usefixtures("fluidsynth")
def test_notes_that_a_preset_lacks_are_named(tmp_path: Path) -> None:
    contrabass = Instrument("string", 43, "contrabass", "train")
    report = write_instruments(tmp_path, pitches=(45, 88), velocities=(100,), instruments=(contrabass,))
    assert (report.written, report.skipped) == (1, ["string_043 has no sound at pitch 88, velocity 100"])


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["data", "instruments", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert PACKAGES in " ".join(result.output.split())
    program = tmp_path / "fluidsynth"
    program.write_text("#!/bin/sh\necho 'no such voice' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(DataError, match="fluid-soundfont-gm"):
        write_instruments(tmp_path / "out", soundfont=tmp_path / "none.sf2")
    (tmp_path / "some.sf2").write_bytes(b"?")
    with pytest.raises(DataError, match="guitar_024: no such voice"):
        write_instruments(tmp_path / "out", soundfont=tmp_path / "some.sf2", velocities=VELOCITIES[:1])
    assert not (tmp_path / "out").exists()
