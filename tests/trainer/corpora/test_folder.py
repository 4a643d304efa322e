from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.audio.folders import read_audio, read_folder
from trainer.corpora import CorpusRecording, write_folder

WriteTone = Callable[[Path, float, float, int], None]


@pytest.fixture
def recordings(tmp_path: Path, write_tone: WriteTone) -> list[CorpusRecording]:
    recordings = []
    for index in range(4):
        source = tmp_path / "source" / f"{index}.wav"
        write_tone(source, 200 + 100 * index, 1.5, index)
        recordings.append(
            CorpusRecording(source, f"clip{index}", f"s{index % 2}", "train", {"text": f'say\t"{index}"'})
        )
    return recordings


def test_writes_what_read_folder_reads(tmp_path: Path, recordings: list[CorpusRecording]) -> None:
    out = tmp_path / "out"
    seen: list[int] = []
    report = write_folder(recordings, out, on_clip=lambda: seen.append(1))
    assert (report.written, report.existing, report.skipped, len(seen)) == (4, 0, [], 4)
    clips = read_folder(out, "train")
    assert [(clip.path.relative_to(out).as_posix(), clip.speaker) for clip in clips] == [
        ("audio/s0/clip0.opus", "s0"),
        ("audio/s0/clip2.opus", "s0"),
        ("audio/s1/clip1.opus", "s1"),
        ("audio/s1/clip3.opus", "s1"),
    ]
    assert clips[0].labels == {"seconds": "1.500", "text": 'say "0"'}
    info = soundfile.info(clips[0].path)
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "OPUS")
    spectrum = np.abs(np.fft.rfft(read_audio(clips[0].path)))
    assert np.argmax(spectrum) * 16000 / (2 * spectrum.size - 2) == pytest.approx(200, abs=1)


def test_second_run_keeps_what_is_there(tmp_path: Path, recordings: list[CorpusRecording]) -> None:
    out = tmp_path / "out"
    write_folder(recordings[:2], out)
    (out / "audio" / "s0" / "clip2.partial").write_bytes(b"what a killed run leaves")
    before = (out / "audio" / "s0" / "clip0.opus").stat().st_mtime_ns
    report = write_folder(recordings, out)
    assert (report.written, report.existing) == (2, 2)
    assert (out / "audio" / "s0" / "clip0.opus").stat().st_mtime_ns == before
    assert sorted(path.suffix for path in (out / "audio").rglob("*.*")) == [".opus"] * 4


def test_rows_of_another_corpus_stay(
    tmp_path: Path, recordings: list[CorpusRecording], write_tone: WriteTone
) -> None:
    out = tmp_path / "out"
    write_folder(recordings, out)
    write_tone(tmp_path / "more.wav", 300, 1.0, 9)
    write_folder([CorpusRecording(tmp_path / "more.wav", "more", "s9", "test")], out)
    assert len(read_folder(out)) == 5
    assert [clip.speaker for clip in read_folder(out, "test")] == ["s9"]


def test_silent_recordings_are_named_where_a_length_is_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mute.wav", np.zeros(32_000), 16_000)
    mute = [CorpusRecording(tmp_path / "mute.wav", "mute", "", "train", trimmed=True)]
    report = write_folder(mute, tmp_path / "out", min_s=1.2)
    assert report.skipped == [f"{tmp_path / 'mute.wav'}: it is silent."]
    assert write_folder(mute, tmp_path / "out").written == 1


def test_corrupt_files_are_named_and_skipped(tmp_path: Path, recordings: list[CorpusRecording]) -> None:
    recordings[1].source.write_bytes(b"fLaC but not really")
    report = write_folder(recordings, tmp_path / "out")
    assert report.written == 3
    assert len(report.skipped) == 1
    assert "1.wav" in report.skipped[0]
    assert len(read_folder(tmp_path / "out")) == 3
