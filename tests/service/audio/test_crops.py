"""Crops hold all of the speech, only the speech, and say truly where it was."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from service.audio import Region, cut_crops


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Samples that are their own position, from 1 on, and disjoint speech bounds in them."""
    total = draw(st.integers(1, 6 * CROP_SAMPLES))
    cuts = sorted(draw(st.sets(st.integers(0, total), min_size=2, max_size=10)))
    return np.arange(1, total + 1, dtype=np.float32), list(zip(cuts[::2], cuts[1::2], strict=False))


@given(recordings())
def test_crops(recording: tuple[np.ndarray, list[tuple[int, int]]]) -> None:
    samples, bounds = recording
    crops = cut_crops(samples, [Region(a / SAMPLE_RATE_HZ, b / SAMPLE_RATE_HZ) for a, b in bounds])
    speech = np.concatenate([samples[a:b] for a, b in bounds])

    assert crops.speech_s == len(speech) / SAMPLE_RATE_HZ
    assert crops.waveforms.shape == (max(1, -(-len(speech) // CROP_SAMPLES)), CROP_SAMPLES)
    assert crops.waveforms.dtype == np.float32
    # every sample of speech is in some crop, and nothing else is
    np.testing.assert_array_equal(np.unique(crops.waveforms), speech)
    for waveform, (start_s, end_s) in zip(crops.waveforms, crops.spans, strict=True):
        distinct = waveform[: len(speech)]
        # samples are positions + 1: a crop's first and last are where its span begins and ends
        assert round(start_s * SAMPLE_RATE_HZ) == distinct[0] - 1
        assert round(end_s * SAMPLE_RATE_HZ) == distinct[-1]
        assert 0 <= start_s < end_s <= len(samples) / SAMPLE_RATE_HZ
        assert (np.diff(distinct) > 0).all(), "contiguous speech, in order"


def test_short_speech_is_repeated() -> None:
    samples = np.arange(1, 10_001, dtype=np.float32)
    crops = cut_crops(samples, [Region(0.0, 10_000 / SAMPLE_RATE_HZ)])
    np.testing.assert_array_equal(crops.waveforms[0], np.concatenate([samples, samples])[:CROP_SAMPLES])
    assert crops.spans == [(0.0, 0.625)]


def test_remainder_ends_with_the_speech() -> None:
    samples = np.arange(2 * CROP_SAMPLES + 100, dtype=np.float32)
    crops = cut_crops(samples, [Region(0.0, len(samples) / SAMPLE_RATE_HZ)])
    assert [waveform[0] for waveform in crops.waveforms] == [0, CROP_SAMPLES, CROP_SAMPLES + 100]


def test_no_regions_no_crops() -> None:
    crops = cut_crops(np.ones(CROP_SAMPLES, np.float32), [])
    assert crops.waveforms.shape == (0, CROP_SAMPLES)
    assert (crops.spans, crops.speech_s) == ([], 0.0)
