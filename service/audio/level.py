"""Brings recordings to one level, without their offset, before speech is looked for in them.

Speech detection depends on the level: at −40 dB it misses most of a sentence.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.audio import SAMPLE_RATE_HZ

#: RMS of speech after levelling: −26 dBFS, the usual level of telephony (ITU-T P.56).
SPEECH_RMS = 0.05
_MAX_GAIN = 1000.0  # 60 dB: what is quieter is rounding, not speech
_FRAME_SAMPLES = SAMPLE_RATE_HZ // 50  # 20 ms
_OFFSET_FRAMES = 25  # half a second: slower than any voice
_GATE = 0.1  # of the mean power: quieter frames are pauses (ITU-R BS.1770 gates at the same)
_REMEMBERED_FRAMES = 1500  # of a stream: 30 s
_CAP = 4.0  # times the 95th percentile: louder frames are clicks


@dataclass(frozen=True, eq=False)
class Levelled:
    """A recording at the usual level."""

    samples: Float32  # (n,)
    rms: float  # of its loud parts before; 0: silence


def level(samples: Float32) -> Levelled:
    """`samples` (n,) without a constant or slowly moving offset, with loud parts at an RMS of `SPEECH_RMS`.

    What then exceeds ±1 is cut to it: clicks do, speech does not.
    """
    centred = without_offset(samples)
    rms = speech_rms(centred)
    return Levelled(_amplified(centred, rms) if rms > 0 else centred, rms)


def levelled(samples: Float32) -> Float32:
    """The samples of `level`."""
    return level(samples).samples


def without_offset(samples: Float32) -> Float32:
    """`samples` (n,) less their mean over half a second around."""
    if not len(samples):
        return samples
    frames = max(len(samples) // _FRAME_SAMPLES, 1)
    cut = samples[: frames * _FRAME_SAMPLES].reshape(frames, -1)
    means = cut.mean(axis=1, dtype=np.float64)  # (frames,)
    width = min(_OFFSET_FRAMES, frames)
    sums = np.concatenate([[0.0], np.cumsum(means)])
    index = np.arange(frames)
    first = np.maximum(index - width // 2, 0)
    last = np.minimum(index + width // 2 + 1, frames)
    smooth = (sums[last] - sums[first]) / (last - first)
    # Straight lines from the middle of each frame to the next. np.interp does the same, ten times slower.
    ramp = np.arange(cut.shape[1], dtype=np.float32) / np.float32(cut.shape[1])
    lines = smooth[:-1, None].astype(np.float32) + np.diff(smooth)[:, None].astype(np.float32) * ramp
    centred = np.array(samples, np.float32)
    middle, end = cut.shape[1] // 2, cut.shape[1] // 2 + lines.size
    centred[:middle] -= np.float32(smooth[0])
    centred[middle:end] -= lines.reshape(-1)
    centred[end:] -= np.float32(smooth[-1])
    return centred


def speech_rms(samples: Float32) -> float:
    """RMS of the loud parts of `samples` (n,): pauses and single clicks count for nothing."""
    return _loud_rms(frame_powers(samples))


class LevelStream:
    """`levelled` for a recording that comes in parts: by the loud parts of its last half minute."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=_REMEMBERED_FRAMES)  # of 20 ms each

    @property
    def dbfs(self) -> float | None:
        """Level of the loud parts; 0 is full scale. None: silence."""
        rms = self._rms()
        return 20 * math.log10(rms) if rms > 0 else None

    def levelled(self, samples: Float32) -> Float32:
        """The next samples (n,), half a second or more, without offset and at the usual level."""
        centred = without_offset(samples)
        self._powers.extend(frame_powers(centred))
        rms = self._rms()
        return _amplified(centred, rms) if rms > 0 else centred

    def _rms(self) -> float:
        return _loud_rms(np.array(self._powers))


def _loud_rms(powers: Float64) -> float:
    powers = powers[powers > 0]
    if not len(powers):
        return 0.0
    powers = np.minimum(powers, _CAP * np.percentile(powers, 95))
    for _ in range(3):  # of a short sentence in a long silence, one gate leaves too much
        powers = powers[powers >= _GATE * powers.mean()]
    return float(np.sqrt(powers.mean()))


def _amplified(centred: Float32, rms: float) -> Float32:
    gain = np.float32(min(SPEECH_RMS / rms, _MAX_GAIN))
    return np.asarray(np.clip(centred * gain, -1, 1), np.float32)


def frame_powers(samples: Float32) -> Float64:
    """Mean square of each 20 ms of `samples` (n,); the last part of a frame is left out."""
    frames = len(samples) // _FRAME_SAMPLES
    if not frames:
        return np.asarray([np.mean(np.square(samples, dtype=np.float64))] if len(samples) else [], np.float64)
    cut = samples[: frames * _FRAME_SAMPLES].reshape(frames, _FRAME_SAMPLES)
    return np.asarray(np.mean(np.square(cut, dtype=np.float64), axis=1), np.float64)
