"""Speech is found where it is, and nowhere else."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from service.audio import SpeechDetector, VadSettings
from service.audio.vad import regions_from_probabilities
from tests.service.signals import RATE, noise, speech, tone

WINDOW_S = 0.032


def bounds(probabilities: Sequence[float]) -> list[tuple[float, float]]:
    """Regions in windows, with room of 2 windows on each side."""
    settings = VadSettings(max_gap_s=4.5 * WINDOW_S, min_speech_s=3.5 * WINDOW_S, pad_s=2 * WINDOW_S)
    regions = regions_from_probabilities(np.array(probabilities, np.float32), 100.0, settings)
    return [(round(r.start_s / WINDOW_S, 3), round(r.end_s / WINDOW_S, 3)) for r in regions]


def test_hysteresis() -> None:
    assert bounds([0.4] * 10 + [0.6] + [0.4] * 9 + [0.3] * 10) == [(8, 22)]


def test_closes_pauses_and_drops_blips() -> None:
    assert bounds([0] * 5 + [1] * 3 + [0] * 4 + [1] * 3 + [0] * 20) == [(3, 17)]
    assert bounds([0] * 5 + [1] * 4 + [0] * 5 + [1] * 4 + [0] * 20) == [(3, 11), (12, 20)]
    assert bounds([0] * 5 + [1] * 3 + [0] * 20) == []


@given(arrays(np.float32, st.integers(0, 200), elements=st.floats(0, 1, width=32)), st.floats(0, 1))
def test_regions_are_ordered_disjoint_and_inside(probabilities: np.ndarray, part: float) -> None:
    duration_s = max(0.0, len(probabilities) - part) * WINDOW_S  # the last window may be partly filled
    regions = regions_from_probabilities(probabilities, duration_s, VadSettings())
    assert all(0 <= r.start_s < r.end_s <= duration_s for r in regions)
    assert all(a.end_s < b.start_s for a, b in pairwise(regions))


def test_finds_speech_within_silence(detector: SpeechDetector) -> None:
    quiet = np.zeros(2 * RATE, np.float32)
    regions = detector.find(np.concatenate([quiet, speech(4), quiet]))
    alone = detector.find(speech(4))
    assert sum(r.end_s - r.start_s for r in alone) > 2.0
    detected = [(r.start_s - 2.0, r.end_s - 2.0) for r in regions]
    np.testing.assert_allclose(detected, [(r.start_s, r.end_s) for r in alone], atol=0.1)


@pytest.mark.parametrize("signal", [np.zeros(0, np.float32), np.zeros(RATE, np.float32), tone(5), noise(5)])
def test_finds_nothing_in_what_is_not_speech(signal: np.ndarray, detector: SpeechDetector) -> None:
    assert detector.find(signal) == []


def test_environmental_sounds(speech_data: Path, detector: SpeechDetector) -> None:
    """Cries and barks are near speech; of what is far from it, next to nothing passes for speech."""
    far = {"rain", "sea_waves", "helicopter", "fire_crackling", "chainsaw", "clock_tick"}
    with (speech_data / "noise" / "metadata.tsv").open(newline="") as table:
        paths = [r["path"] for r in csv.DictReader(table, delimiter="\t") if r["kind"] in far][::4]
    detected = [
        p for p in paths if detector.find(soundfile.read(speech_data / "noise" / p, dtype="float32")[0])
    ]
    assert len(detected) <= 0.05 * len(paths), detected


def test_threads_share_a_detector(detector: SpeechDetector) -> None:
    signals = [speech(8), noise(5), speech(3), tone(3)] * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.find, signals)) == [detector.find(s) for s in signals]
