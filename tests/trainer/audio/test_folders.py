from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bundle.audio import CROP_SAMPLES
from trainer.audio.folders import DataError, contiguous_crops, fill_crop, read_audio, read_folder

WriteTone = Callable[[Path, float, float, int], None]


def test_reads_metadata_and_its_splits(speech_data: Path) -> None:
    train, test = (read_folder(speech_data / "librispeech", split) for split in ("train", "test"))
    assert (len({clip.speaker for clip in train}), len({clip.speaker for clip in test})) == (251, 10)
    assert {clip.corpus for clip in train} == {"librispeech"}
    assert float(train[0].labels["seconds"]) > 1


def test_reads_a_folder_a_speaker(tmp_path: Path, write_tone: WriteTone) -> None:
    write_tone(tmp_path / "ann" / "a.wav", 200, 0.2, 0)
    write_tone(tmp_path / "bob" / "b.flac", 300, 0.2, 0)
    assert [clip.speaker for clip in read_folder(tmp_path)] == ["ann", "bob"]


def test_reads_unlabelled_files(tmp_path: Path, write_tone: WriteTone) -> None:
    write_tone(tmp_path / "a.wav", 200, 0.2, 0)
    (tmp_path / "notes.txt").write_text("not audio")
    assert [clip.speaker for clip in read_folder(tmp_path)] == [""]


def test_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="No audio"):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="has no metadata"):
        read_folder(tmp_path, "train")
    (tmp_path / "metadata.tsv").write_text("file\tspeaker\na.wav\tann\n")
    with pytest.raises(DataError, match="needs a column 'path'"):
        read_folder(tmp_path)


def test_resamples_and_averages_channels(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    soundfile.write(tmp_path / "two.wav", np.stack([tone, 0 * tone], axis=1), 8000)
    samples = read_audio(tmp_path / "two.wav")
    assert samples.shape == (16000,)
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.5, abs=0.01)


def test_crops_are_contiguous_from_the_start() -> None:
    samples = np.arange(2 * CROP_SAMPLES + 100, dtype=np.float32)
    assert np.array_equal(contiguous_crops(samples).ravel(), samples[: 2 * CROP_SAMPLES])
    assert contiguous_crops(samples[:100]).shape == (0, CROP_SAMPLES)
    assert np.array_equal(fill_crop(samples[:100])[:300], np.tile(samples[:100], 3))
