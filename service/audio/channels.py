"""One channel of several: their mean where they hold the same sound, else the best.

A mean is right for one voice in every channel. It is wrong where a channel is turned over (it cancels), late
(it dulls), silent, or another person's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.audio import SAMPLE_RATE_HZ

_FRAME_SAMPLES = SAMPLE_RATE_HZ // 50  # 20 ms
_SILENT = 1e-4  # of the loudest channel's power: −40 dB
_LIVE_FRAME = 10**-3.5  # of a loud frame's power
_SAME = 0.9  # least correlation of channels that are averaged
_MAX_LAG = SAMPLE_RATE_HZ // 50  # of a late channel: 20 ms
_LATE = 0.02  # by which a shifted channel must fit better
#: Two people: in this share of the loud frames each, one channel is louder by this ratio of powers.
_TURNS, _LOUDER = 0.1, 10.0
_COMPARED_SAMPLES = 30 * SAMPLE_RATE_HZ  # of the loudest part of a recording, for the lag


@dataclass(frozen=True, eq=False)
class Mix:
    """One channel, and what was done to get it."""

    samples: Float32  # (n,)
    warnings: tuple[str, ...] = ()


def mix_down(channels: Float32) -> Mix:
    """One of `channels` (n, channels) at 16 kHz, or the mean of those that hold sound.

    The warnings name channels by number, from 1.
    """
    count = channels.shape[1]
    if count == 1:
        return Mix(channels[:, 0])
    centred = channels - channels.mean(axis=0)
    powers = np.mean(np.square(centred), axis=0, dtype=np.float64)  # (channels,)
    live = np.flatnonzero(powers > _SILENT * powers.max()) if powers.max() > 0 else np.arange(count)
    if len(live) == 1:
        words = f"Only channel {live[0] + 1} of {count} holds sound; it was used."
        return Mix(np.ascontiguousarray(channels[:, live[0]]), (words,))
    if powers.max() == 0 or _are_same(centred[:, live]):
        return Mix(channels[:, live].mean(axis=1, dtype=np.float32))
    frames = _frame_powers(centred[:, live])  # (frames, channels)
    best = live[int(np.argmax(_speech_like(frames)))]
    samples = np.ascontiguousarray(channels[:, best])
    if _take_turns(frames):
        reason = "different people seem to speak in its channels. Send each channel as a file of its own"
    elif _cancel(centred[:, live]):
        reason = "their mean would cancel the voice"
    else:
        reason = "they differ, or one is late, so that their mean would dull the voice"
    return Mix(samples, (f"Channel {best + 1} of {count} was used: {reason}.",))


def _are_same(channels: Float32) -> bool:
    """Whether every channel is the first one, at some level, at the same time."""
    first = channels[:, 0]
    for other in channels.T[1:]:
        lags = _correlation(first, other)
        together = lags[_MAX_LAG]
        if together < _SAME or np.abs(lags).max() > together + _LATE:
            return False
    return True


def _correlation(a: Float32, b: Float32) -> Float64:
    """Normalised cross-correlation at lags of ±20 ms (2 · _MAX_LAG + 1,), over the loudest part."""
    if len(a) > _COMPARED_SAMPLES:
        energy = np.add.reduceat(np.square(a, dtype=np.float64), np.arange(0, len(a), _COMPARED_SAMPLES))
        start = int(np.argmax(energy)) * _COMPARED_SAMPLES
        a, b = a[start : start + _COMPARED_SAMPLES], b[start : start + _COMPARED_SAMPLES]
    size = 1 << (len(a) + _MAX_LAG - 1).bit_length()  # a fast length, with room for the lags
    spectrum = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    correlation = np.fft.irfft(spectrum, size)
    lags = np.concatenate([correlation[-_MAX_LAG:], correlation[: _MAX_LAG + 1]])
    scale = np.sqrt(np.sum(np.square(a, dtype=np.float64)) * np.sum(np.square(b, dtype=np.float64)))
    return np.asarray(lags / max(float(scale), 1e-30), np.float64)


def _cancel(channels: Float32) -> bool:
    """Whether the mean is much weaker than the channels."""
    mean_power = float(np.mean(np.square(channels.mean(axis=1)), dtype=np.float64))
    return mean_power < 0.25 * float(np.mean(np.square(channels), dtype=np.float64))


def _take_turns(frames: Float64) -> bool:
    """Whether now one, now another of two channels is much the louder."""
    if frames.shape[1] != 2:
        return False
    total = frames.sum(axis=1)
    loud = frames[total > _LIVE_FRAME * np.percentile(total, 95)]
    if not len(loud):
        return False
    first = float(np.mean(loud[:, 0] > _LOUDER * loud[:, 1]))
    second = float(np.mean(loud[:, 1] > _LOUDER * loud[:, 0]))
    return min(first, second) > _TURNS


def _speech_like(frames: Float64) -> Float64:
    """What the best channel has most of (channels,): loud frames over quiet ones, in level."""
    loud, quiet = np.percentile(frames, (90, 10), axis=0)
    contrast = np.log10(np.maximum(loud, 1e-20) / np.maximum(quiet, 1e-20 + 1e-6 * loud))
    return np.asarray(contrast + 0.5 * np.log10(np.maximum(loud, 1e-20)), np.float64)


def _frame_powers(channels: Float32) -> Float64:
    """Power of each 20 ms: (n, channels) → (frames, channels)."""
    frames = max(len(channels) // _FRAME_SAMPLES, 1)
    cut = channels[: frames * _FRAME_SAMPLES].reshape(frames, -1, channels.shape[1])
    return np.asarray(np.mean(np.square(cut, dtype=np.float64), axis=1), np.float64)
