from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundle.audio import CROP_SAMPLES
from trainer.audio.cache import build_cache
from trainer.audio.folders import DataError, read_audio, read_folder

WriteTone = Callable[[Path, float, float, int], None]


def test_a_cache_holds_every_readable_clip_once(tmp_path: Path, write_tone: WriteTone) -> None:
    folder, cache = tmp_path / "speech", tmp_path / "cache"
    write_tone(folder / "ann" / "a.wav", 200, 1.5, 0)
    write_tone(folder / "bob" / "c.wav", 300, 0.5, 0)
    (folder / "bob" / "b.wav").write_bytes(b"RIFF, but no more than that")
    skipped: list[str] = []
    steps: list[tuple[int, int]] = []
    first = build_cache(
        read_folder(folder), cache, warn=skipped.append, progress=lambda *step: steps.append(step)
    )
    assert len(skipped) == 1
    assert "b.wav" in skipped[0]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert [clip.speaker for clip in first.clips] == ["ann", "bob"]
    np.testing.assert_allclose(first.clip(0), read_audio(folder / "ann" / "a.wav"), atol=1 / 32768)
    assert first.crop(1, 0).shape == (CROP_SAMPLES,)
    assert np.array_equal(first.crop(1, 0)[:8000], first.crop(1, 0)[8000:16000])  # repeated, not padded

    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    second = build_cache(read_folder(folder), cache, warn=skipped.append)
    assert np.array_equal(first.samples, second.samples)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == written


def test_a_folder_of_broken_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no")
    with pytest.raises(DataError, match="None of the 1 files"):
        build_cache(read_folder(tmp_path), tmp_path / "cache", warn=lambda _: None)
