from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.vectors import unit
from trainer.audio.folders import Clip, DataError, read_audio
from trainer.scoring import embedding
from trainer.scoring.embedding import embed_clips, utterance_crops

WriteTone = Callable[[Path, float, float, int], None]


def ramp(seconds: float) -> Float32:
    return np.arange(round(seconds * 16_000), dtype=np.float32)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (2 * 16384, [0, 16384]),
        (2 * 16384 + 3999, [0, 16384]),
        (2 * 16384 + 4000, [0, 16384, 16384 + 4000]),  # 0.25 s left: one more crop, ending at the end
        (16384, [0]),
    ],
)
def test_crops_start_at_the_start_and_end_at_the_end(samples: int, starts: list[int]) -> None:
    crops = utterance_crops(np.arange(samples, dtype=np.float32))
    assert crops.shape == (len(starts), 16384)
    assert list(crops[:, 0]) == starts


def test_short_recording_is_repeated_not_padded() -> None:
    crops = utterance_crops(ramp(0.5) + 1)
    assert crops.shape == (1, 16384)
    assert crops[0, 8000] == 1
    assert crops.min() > 0


def head(crops: Float32) -> Float32:
    """An encoder that returns the first 8 samples: which crop is which stays visible."""
    return crops[:, :8]


def test_every_crop_lands_with_its_clip(
    tmp_path: Path, write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "CROPS_AT_ONCE", 4)  # calls that do not end where clips end
    clips = []
    for index, seconds in enumerate([2.5, 0.6, 1.1, 5.0, 1.4]):
        path = tmp_path / f"{index}.wav"
        write_tone(path, 100 + 50 * index, seconds, index)
        clips.append(Clip(path, "s"))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    clips.insert(2, Clip(tmp_path / "broken.wav", "s"))
    seen: list[int] = []
    embedded = embed_clips(clips, head, on_clip=lambda: seen.append(1))

    assert len(seen) == 6
    assert [clip.path.name for clip in embedded.clips] == ["0.wav", "1.wav", "2.wav", "3.wav", "4.wav"]
    assert len(embedded.skipped) == 1
    assert "broken.wav" in embedded.skipped[0]
    # 2.5 s: 2 whole; 0.6 s: none, it is repeated; 1.1 s: 1, the rest is under 0.25 s; 5 s: 4; 1.4 s: 1
    assert embedded.crop_clip.tolist() == [0, 0, 2, 3, 3, 3, 3, 4]
    for index, clip in enumerate(embedded.clips):
        crops = utterance_crops(read_audio(clip.path))
        np.testing.assert_allclose(embedded.utterances[index], unit(head(crops).mean(axis=0)), atol=1e-6)
        whole = embedded.crops[embedded.crop_clip == index]
        np.testing.assert_array_equal(whole, head(crops)[: len(whole)])


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of the 1 files"):
        embed_clips([Clip(tmp_path / "absent.wav", "s")], head)


def test_unit_leaves_zeros_alone() -> None:
    np.testing.assert_allclose(unit(np.array([[3, 4], [0, 0]], np.float32)), [[0.6, 0.8], [0, 0]])
