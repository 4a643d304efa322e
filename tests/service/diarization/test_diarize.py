"""Clustering and turns on vectors whose voices are known."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.scoring import Calibration, OperatingPoint, Scorer, Scoring
from service.audio import Region
from service.diarization import Hints, Turn, Windows, cut_windows, diarize, rttm, webvtt

DIM = 64


def scorer() -> Scorer:
    return Scorer(
        Scoring(
            score_type="centred_cosine",
            mean=(0.0,) * DIM,
            calibration=Calibration(slope=20, intercept=-8),
            false_accept=(OperatingPoint(fpr=0.01, threshold=0.5),),
            fitted_on="nothing",
        )
    )


def embedded(voices: list[int], shared: float = 0.0) -> tuple[Windows, Float32]:
    """Regions of 3 s, one a voice; each window is its voice's direction, noise, and what all share."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
    windows = cut_windows([Region(4.0 * i, 4.0 * i + 3.0) for i in range(len(voices))])
    x = directions[np.array(voices)[windows.regions]] + rng.normal(size=(len(windows), DIM)) * 0.12
    x = x + shared * directions[-1]
    return windows, (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("shared", [0.0, 1.0])
@pytest.mark.parametrize("voices", [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 2, 1, 2, 0]])
def test_the_voices_are_counted_whatever_the_recording_adds_to_all(voices: list[int], shared: float) -> None:
    parts = diarize(*embedded(voices, shared), scorer(), Hints())
    assert [segment.voice for segment in parts.segments] == voices
    assert sum(voice.speech_s for voice in parts.voices) == pytest.approx(3.0 * len(voices))


def test_overlap_is_where_a_voice_takes_over_without_a_pause_and_both_are_heard() -> None:
    rng = np.random.default_rng(0)
    windows = cut_windows([Region(0.0, 8.0), Region(9.0, 13.0)])  # 0, then 1 in the same breath; a pause; 0
    middles = windows.spans.mean(axis=1)
    second = np.clip((middles - 3.5) / 1.0, 0, 1) * (middles < 8.5)  # both from 3.5 to 4.5 s
    x = np.outer(1 - second, np.eye(DIM)[0]) + np.outer(second, np.eye(DIM)[1])
    x += rng.normal(size=x.shape) * 0.05
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    segments = diarize(windows, x.astype(np.float32), scorer(), Hints()).segments
    marked = [segment for segment in segments if segment.overlap]
    assert {segment.voice for segment in segments} == {0, 1}
    assert marked
    assert all(3.2 < segment.start_s < segment.end_s < 4.8 for segment in marked)
    assert not any(
        segment.overlap for segment in diarize(*embedded([0, 1, 0, 1]), scorer(), Hints()).segments
    )


def test_hints_bound_the_number_of_voices() -> None:
    assert len(diarize(*embedded([0, 1, 2]), scorer(), Hints(1, 2)).voices) == 2
    assert len(diarize(*embedded([0, 0, 0]), scorer(), Hints(2, 2)).voices) == 2


def test_a_short_region_gets_one_window() -> None:
    windows = cut_windows([Region(1.0, 1.3), Region(2.0, 5.0)])
    assert list(windows.regions[:2]) == [0, 1]
    assert windows.seconds.sum() == pytest.approx(3.3)
    (batch, *_) = windows.waveforms(np.arange(16000 * 6, dtype=np.float32), 4)
    assert batch.shape == (4, 16384)
    assert batch[0, 4800] == batch[0, 0] == 16000  # repeated


def test_labels_cannot_break_a_format() -> None:
    turn = Turn(3661.5, 3662.0, "A <b> & c\nd")
    assert rttm([turn]).split()[7] == "A_<b>_&_c_d"
    assert "01:01:01.500 --> 01:01:02.000\n<v A &lt;b&gt; &amp; c d>" in webvtt([turn])
