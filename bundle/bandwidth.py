"""To which frequency a recording holds its speaker's voice, whatever its sample rate says, and its line."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ

#: Below this strangers pass more often: telephone lines end at 3.4 kHz, Opus at 8 kbit/s at 5 kHz.
NARROW_HZ = 6_000
_FFT, _HOP = 512, 256
_BIN_HZ = SAMPLE_RATE_HZ / _FFT
_MOST_FRAMES = 2_000  # half a minute
_SMOOTH_BINS = 5  # 156 Hz
_SMOOTH_FRAMES = 4  # 64 ms; without smoothing, noise alone has contrast
_LOUD, _QUIET = 95, 10  # percentiles over frames
_CONTRAST = 10**0.6  # of loud over quiet frames in a band that holds speech: 6 dB
_DEEPEST = 10**-5.5  # of the strongest band's power: what is weaker is rounding
_FINE_FFT = 1024
_LOWS_HZ = 60, 200
#: Of the strongest band: 40 dB under it. On train speakers at 8 kHz, the lows of one recording in fifty or so
#: are that weak; behind a brick wall from 300 Hz, those of all, through G.711 too.
_FILTERED = 10**-2.0


def is_narrow(bandwidth: int | None) -> bool:
    """Whether a bandwidth in hertz is that of a narrow line. One that is not known is not."""
    return bandwidth is not None and bandwidth < NARROW_HZ


class Line(Enum):
    """What a recording came over."""

    WIDE = "wide"
    NARROW = "narrow"  # nothing above some 3.4 to 6 kHz
    FILTERED = "filtered"  # nor below 200 Hz: all voices sound alike, and nobody can be named

    @property
    def narrow(self) -> bool:
        """Whether it is narrow, filtered or not."""
        return self is not Line.WIDE


def line_of(speech: Sequence[Float32], bandwidth: int | None) -> Line:
    """The line of a recording, given its `bandwidth_hz`. `speech` are the same stretches."""
    if not is_narrow(bandwidth):
        return Line.WIDE
    windows = _windows(speech, _FINE_FFT)
    if windows is None:
        return Line.NARROW
    spectrum = np.fft.rfft(windows * np.hanning(_FINE_FFT).astype(np.float32))
    (loud,) = _percentiles(np.abs(spectrum), _LOUD)
    hertz = np.fft.rfftfreq(_FINE_FFT, 1 / SAMPLE_RATE_HZ)
    lows = loud[(hertz >= _LOWS_HZ[0]) & (hertz <= _LOWS_HZ[1])]
    return Line.FILTERED if lows.max() < _FILTERED * loud.max() else Line.NARROW


def bandwidth_hz(speech: Sequence[Float32]) -> int | None:
    """The highest frequency at which speech stands out, to 100 Hz, at most 8000.

    A band holds speech if it is louder in loud frames than in quiet ones. Noise that was added to a telephone
    call is as loud in both.

    Args:
        speech: the stretches in which somebody speaks, (n,) each, 16 kHz mono.

    Returns:
        Hertz; None where there is too little speech to tell.
    """
    windows = _windows(speech, _FFT)
    if windows is None:
        return None
    spectrum = np.fft.rfft(windows * np.hanning(_FFT).astype(np.float32))
    power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)  # (frames, 257)
    bands = _smooth(_smooth(power, _SMOOTH_FRAMES, axis=0), _SMOOTH_BINS, axis=1)
    loud, quiet = _percentiles(bands, _LOUD, _QUIET)
    holds = (loud > _CONTRAST * quiet) & (loud > _DEEPEST * loud.max())
    if not holds.any():
        return None
    highest = int(np.flatnonzero(holds)[-1]) + _SMOOTH_BINS // 2 + 1
    return min(round(highest * _BIN_HZ / 100) * 100, SAMPLE_RATE_HZ // 2)


def _windows(speech: Sequence[Float32], size: int) -> Float32 | None:
    """(frames, size); None where no stretch is as long."""
    frames = [sliding_window_view(part, size)[::_HOP] for part in speech if len(part) >= size]
    return np.concatenate(frames)[:_MOST_FRAMES] if frames else None


def _smooth(power: Float32, width: int, *, axis: int) -> Float32:
    """The mean of `width` neighbours along an axis."""
    width = min(width, power.shape[axis])
    rows = np.moveaxis(power, axis, 0)
    count = len(rows) - width + 1
    total = rows[:count].copy()
    for shift in range(1, width):
        total += rows[shift : shift + count]
    total /= np.float32(width)
    return np.moveaxis(total, 0, axis)


def _percentiles(frames: Float32, *percents: float) -> list[Float32]:
    """Percentiles over frames (frames, bands), each (bands,): quicker than `np.percentile`."""
    ordered = np.sort(np.ascontiguousarray(frames.T), axis=1)  # (bands, frames)
    return [_percentile(ordered, percent) for percent in percents]


def _percentile(ordered: Float32, percent: float) -> Float32:
    """The percentile of each row (n,) of ascending values, as `np.percentile` gives it."""
    place = percent / 100 * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + np.float32(place - low) * (ordered[:, high] - ordered[:, low])
