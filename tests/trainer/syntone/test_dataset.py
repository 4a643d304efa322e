from __future__ import annotations

import numpy as np
import pytest

from trainer.syntone.dataset import HIGH_HZ, TIMBRES, SynTone, waveform


def test_the_paper_s_grid() -> None:
    grid = SynTone()
    assert len(grid) == 32_000
    factors = grid.factors
    assert [len(np.unique(column)) for column in factors.T] == [4, 20, 400]
    assert len(np.unique(factors, axis=0)) == 32_000
    assert factors[:, 1].min() == 0
    assert factors[:, 1].max() == 1
    assert (factors[0, 2], factors[-1, 2]) == (440, 8000)
    np.testing.assert_array_equal(grid.index(grid.levels), np.arange(32_000))


def test_a_tenth_is_held_out_and_never_two_timbres_of_a_sound() -> None:
    grid = SynTone()
    held_out = grid.held_out
    assert held_out.sum() == 3_200
    assert held_out.reshape(4, -1).sum(axis=0).max() == 1
    assert [len(np.unique(column)) for column in grid.levels[held_out].T] == [4, 20, 400]
    np.testing.assert_array_equal(held_out, SynTone().held_out)


@pytest.mark.parametrize("timbre", range(4))
def test_a_clip_has_its_factors(timbre: int) -> None:
    grid = SynTone(amplitudes=5, frequencies=64)  # steps of 120 Hz: level 3 is 800 Hz, 20 samples a period
    index = grid.index([[timbre, 2, 3]])
    np.testing.assert_allclose(grid.factors[index[0]], [timbre, 0.5, 800])
    clip = grid.clips(index)[0]
    assert clip.shape == (16_000,)
    assert clip.dtype == np.float32
    np.testing.assert_allclose(clip[20:], clip[:-20], atol=1e-6)  # its period
    assert np.abs(clip[10:] - clip[:-10]).max() > 0.4  # and no shorter one
    assert np.abs(clip).max() == pytest.approx(0.5, abs=1e-6)


def test_each_timbre_has_its_own_shape() -> None:
    periods = np.array([0.0, 0.125, 0.25, 0.5 - 1e-9, 0.75])
    s = np.sqrt(0.5)
    np.testing.assert_allclose(waveform("sine", periods), [0, s, 1, 0, -1], atol=1e-6)
    np.testing.assert_allclose(waveform("triangle", periods), [0, 0.5, 1, 0, -1], atol=1e-6)
    np.testing.assert_allclose(waveform("square", periods), [1, 1, 1, 1, -1], atol=1e-6)
    np.testing.assert_allclose(waveform("sawtooth", periods), [-1, -0.75, -0.5, 0, 0.5], atol=1e-6)


def test_no_clip_at_the_nyquist_frequency_vanishes() -> None:
    """What the module says of aliasing: a sine survives there, and all timbres are one alternation."""
    grid = SynTone(amplitudes=2, frequencies=2)
    clips = grid.clips(grid.index([[timbre, 1, 1] for timbre in range(len(TIMBRES))]))
    assert grid.factors[grid.index([[0, 1, 1]])[0], 2] == HIGH_HZ
    alternation = 1 - 2 * (np.arange(16_000) % 2)
    for clip, peak in zip(clips, (1, 1, 1, -0.5), strict=True):
        np.testing.assert_allclose(clip, peak * alternation, atol=1e-6)


def test_harmonics_above_nyquist_fold_back() -> None:
    """The third harmonic of 3.2 kHz would be 9.6 kHz: sampled at 16 kHz, it is 6.4 kHz."""
    time_s = np.arange(16_000) / 16_000
    spectrum = np.abs(np.fft.rfft(waveform("square", 3200 * time_s + 0.25)))
    assert spectrum[6400] > 0.1 * spectrum[3200]
