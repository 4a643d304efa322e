"""Log-magnitude spectrogram → waveform (GAAE, section IV-B, after Marafioti et al. 2019)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import soxr
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.audio import SAMPLE_RATE_HZ
from bundle.generator import SpectrogramScale
from service.generation.pghi import GAMMA, integrate_phase

Float64 = Float64
PEAK = 0.9  # of every waveform: the spectrogram does not tell the loudness
_OVERLAP = 4  # hops per window, at least, that phase retrieval needs


class SpectrogramInverse:
    """Waveforms for spectrograms of one scale. Safe from any thread."""

    def __init__(self, scale: SpectrogramScale, *, griffin_lim: int = 0) -> None:
        """`griffin_lim` iterations refine the phase after PGHI."""
        self._scale = scale
        self._iterations = griffin_lim
        self._hop = min(scale.hop, scale.window // _OVERLAP)
        self._window = periodic_window(scale.window_shape, scale.window)

    def waveform(self, spectrogram: Float32, rng: np.random.Generator) -> Float32:
        """(bins, frames) in [-1, 1] → (16000,): one second at 16 kHz, of peak `PEAK`.

        Frame m is centred on sample m · hop. The frames must cover a whole second. The same spectrogram and
        the same state of `rng` give the same samples.
        """
        scale = self._scale
        log_magnitude = self.log_magnitude(spectrogram)
        magnitude = np.exp(log_magnitude)
        samples = istft(magnitude * np.exp(1j * self.phase(log_magnitude, rng)), self._window, self._hop)
        for _ in range(self._iterations):
            estimate = stft(samples, self._window, self._hop)
            samples = istft(magnitude * np.exp(1j * np.angle(estimate)), self._window, self._hop)
        samples = samples[scale.window // 2 :][: scale.sample_rate_hz]
        if scale.sample_rate_hz != SAMPLE_RATE_HZ:
            samples = soxr.resample(samples, scale.sample_rate_hz, SAMPLE_RATE_HZ)
        peak = float(np.abs(samples).max(initial=0.0))
        return np.asarray(samples * (PEAK / peak if peak else 0.0), dtype=np.float32)

    def log_magnitude(self, spectrogram: Float32) -> Float64:
        """ln|STFT|, (bins, frames) → (bins + 1, finer frames). The Nyquist bin is added at the floor."""
        r = self._scale.r
        g = np.clip(np.asarray(spectrogram, dtype=np.float64), -1, 1)
        log_magnitude = np.concatenate([(r / 2) * (g - 1), np.full((1, g.shape[1]), -r)])
        return _finer(log_magnitude, self._scale.hop / self._hop)

    def phase(self, log_magnitude: Float64, rng: np.random.Generator) -> Float64:
        """The phase of ln|STFT|, both (bins + 1, finer frames). Clipped bins get a random phase."""
        scale = self._scale
        gamma = GAMMA[scale.window_shape] * scale.window**2
        return integrate_phase(log_magnitude, hop=self._hop, gamma=gamma, floor=-scale.r + 1e-6, rng=rng)


def periodic_window(shape: Literal["hann", "hamming"], length: int) -> Float64:
    """A periodic window, (length,)."""
    a = {"hann": 0.5, "hamming": 0.54}[shape]
    return np.asarray(a - (1 - a) * np.cos(2 * np.pi * np.arange(length) / length))


def stft(samples: Float64, window: Float64, hop: int) -> NDArray[np.complex128]:
    """(n,) → (bins, frames). Frame i starts at sample i · hop, without padding."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(window))[::hop]
    return np.fft.rfft(frames * window, axis=1).T


def istft(spectrum: NDArray[np.complex128], window: Float64, hop: int) -> Float64:
    """(bins, frames) → the waveform whose `stft` is nearest, ((frames − 1) · hop + window,)."""
    frames = np.fft.irfft(spectrum, len(window), axis=0).T * window  # (frames, window)
    return _overlapped(frames, hop) / np.maximum(
        _overlapped(np.broadcast_to(window**2, frames.shape), hop), 1e-3
    )


def _overlapped(frames: Float64, hop: int) -> Float64:
    count, length = frames.shape
    total = np.zeros((count - 1) * hop + length)
    for start in range(0, length, hop):  # one hop of every frame at a time: these do not overlap
        piece = frames[:, start : start + hop]
        padded = np.zeros((count, hop))
        padded[:, : piece.shape[1]] = piece
        end = min(start + count * hop, len(total))
        total[start:end] += padded.ravel()[: end - start]
    return total


def _finer(log_magnitude: Float64, factor: float) -> Float64:
    """Interpolates along time, `factor` frames for each, because phase retrieval needs them close."""
    if factor == 1:
        return log_magnitude
    frames = log_magnitude.shape[1]
    times = np.arange(int((frames - 1) * factor) + 1) / factor
    before = np.minimum(times.astype(np.int64), frames - 2)
    share = times - before
    return np.asarray(log_magnitude[:, before] * (1 - share) + log_magnitude[:, before + 1] * share)
