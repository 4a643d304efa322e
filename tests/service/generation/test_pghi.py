"""PGHI against a signal whose phase is known, against pghipy, and on real speech."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bundle.arrays import Float64
from service.generation import pghi
from service.generation.inverse import istft, periodic_window, stft
from service.generation.pghi import GAMMA, integrate_phase

WINDOW, HOP, R = 512, 128, 10.0
HANN = periodic_window("hann", WINDOW)
GAMMA_HANN = GAMMA["hann"] * WINDOW**2


def log_magnitude(samples: Float64, window: Float64 = HANN) -> Float64:
    magnitude = np.abs(stft(samples, window, HOP))
    return np.log(np.maximum(magnitude / magnitude.max(), np.exp(-R)))


def phase_of(s: Float64, *, gamma: float = GAMMA_HANN, floor: float = -R + 1e-6, seed: int = 0) -> Float64:
    return integrate_phase(s, hop=HOP, gamma=gamma, floor=floor, rng=np.random.default_rng(seed))


def convergence_db(s: Float64, phase: Float64, window: Float64 = HANN) -> float:
    """‖|STFT(x)| − S‖ / ‖S‖ of the waveform x made of S and `phase`."""
    magnitude = np.exp(s)
    again = np.abs(stft(istft(magnitude * np.exp(1j * phase), window, HOP), window, HOP))
    return float(20 * np.log10(np.linalg.norm(again - magnitude) / np.linalg.norm(magnitude)))


def clips(examples: Path) -> Iterator[Float64]:
    """Two seconds of each reader, from where they speak."""
    for path in sorted((examples / "audio").glob("*/*.opus"))[::3]:
        yield soundfile.read(path, start=16_000, frames=32_000)[0]


def test_real_speech_converges(examples: Path) -> None:
    convergence, random = [], []
    for samples in clips(examples):
        s = log_magnitude(samples)
        convergence.append(convergence_db(s, phase_of(s)))
        random.append(convergence_db(s, np.random.default_rng(1).uniform(0, 2 * np.pi, s.shape)))
    assert len(convergence) >= 5
    assert np.mean(convergence) <= -15
    assert max(convergence) < min(random) - 5


def test_agrees_with_pghipy(examples: Path) -> None:
    peer = pytest.importorskip("pghipy", reason="pghipy is not installed (pip install '.[test]')")
    window, gamma = peer.get_default_window(WINDOW)  # a Gaussian cut off at 1 %
    s = log_magnitude(next(clips(examples))[:8000], window)
    ours = phase_of(s, gamma=gamma)
    interpreted = peer.pghi.py_func  # compiling it takes longer
    theirs = interpreted(np.exp(s).T.copy(), WINDOW, HOP, gamma, np.exp(-R)).T
    energy = np.exp(2 * s)
    assert np.abs(np.sum(energy * np.exp(1j * (ours - theirs)))) / energy.sum() > 0.95
    assert convergence_db(s, ours, window) < convergence_db(s, theirs, window) + 0.5


def test_a_chirp_gets_its_own_phase() -> None:
    time = np.arange(16_000) / 16_000
    samples = np.sin(2 * np.pi * (500 * time + 1000 * time**2))
    spectrum = stft(samples, HANN, HOP)
    s = log_magnitude(samples)
    energy = np.abs(spectrum) ** 2
    agreement = np.abs(np.sum(energy * np.exp(1j * (phase_of(s) - np.angle(spectrum))))) / energy.sum()
    assert agreement > 0.9  # up to one constant: magnitudes do not know it


def test_a_seed_decides_what_is_below_the_floor_and_only_that() -> None:
    s = log_magnitude(np.sin(np.arange(8192) * 0.3) * np.hanning(8192))
    floor = -8.0
    first, again, other = phase_of(s, floor=floor), phase_of(s, floor=floor), phase_of(s, floor=floor, seed=1)
    np.testing.assert_array_equal(first, again)
    quiet = s <= floor
    assert 0.1 < quiet.mean() < 0.99
    np.testing.assert_array_equal(first[~quiet], other[~quiet])
    assert (first[quiet] != other[quiet]).all()


def test_islands_in_silence_are_all_integrated() -> None:
    s = np.full((257, 40), -R)
    s[20:40, 5:15], s[100:120, 25:35] = -1.0, -2.0  # do not touch
    once, other = phase_of(s), phase_of(s, seed=1)
    np.testing.assert_array_equal(once[s > -R], other[s > -R])
    assert np.isfinite(phase_of(np.full((257, 4), -R))).all()


def test_compiles_also_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    monkeypatch.setattr(caching.FunctionCache._impl_class, "_locator_classes", [])
    s = log_magnitude(np.sin(np.arange(4096) * 0.3))
    cached = phase_of(s)
    pghi._compiled.cache_clear()
    try:
        np.testing.assert_array_equal(phase_of(s), cached)
    finally:
        pghi._compiled.cache_clear()
