"""Whether the same sound is in two recordings, also after another codec, level or line.

A sub-fingerprint is 32 bits: whether the energy falls from a band to the next more than it did a moment
before. Codecs leave most of them as they are; of two recordings of one voice four in ten differ.

Source: Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002, sections 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ

Fingerprint = NDArray[np.uint32]  # (frames,) sub-fingerprints; 0: silence

#: Share of differing bits below which sound is the same. Chosen on train speakers: codecs and noise reach
#: 0.30, other recordings of the same person begin at 0.37.
SAME_BITS = 0.33
_SHORT_SAME_BITS = 0.2  # where less than _WINDOW can be compared
_WINDOW = 25  # sparse frames that are judged together: 2 s
_SHORTEST = 10  # sparse frames; 0.8 s
_SPARSE = 8  # every eighth frame of one side; the other side needs all
_LONGEST_S = 30.0  # of a recording that is looked at
_FFT, _HOP = 4096, 160  # samples: 256 ms and 10 ms
_BANDS = 33
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 2000.0  # what every line lets through
_SILENCE = 10**-4.0  # of the loudest frame's energy
_BLOCK = 500  # frames at once, in 16 MB
_SPARSE_S = _SPARSE * _HOP / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class SameSound:
    """The part of a recording that another one holds too."""

    start_s: float
    end_s: float
    share: float  # of what is not silence


def fingerprint(samples: Float32) -> Fingerprint:
    """The fingerprint of the first half minute of samples (n,), 16 kHz mono."""
    samples = samples[: round(_LONGEST_S * SAMPLE_RATE_HZ)]
    if len(samples) < _FFT + _HOP:
        return np.zeros(0, np.uint32)
    frames = sliding_window_view(samples, _FFT)[::_HOP]
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * _FFT / SAMPLE_RATE_HZ
    bins = np.round(edges).astype(int)
    window = np.hanning(_FFT).astype(np.float32)
    energies = np.concatenate(
        [
            np.add.reduceat(
                np.abs(np.fft.rfft(frames[start : start + _BLOCK] * window)[:, : bins[-1]]) ** 2,
                bins[:-1],
                axis=1,
            )
            for start in range(0, len(frames), _BLOCK)
        ]
    )  # (frames, bands)
    bits = np.diff(np.diff(energies, axis=1), axis=0) < 0  # (frames - 1, 32)
    packed = np.packbits(bits, axis=1).view(np.uint32)[:, 0]
    loudness = energies.sum(axis=1)[1:]
    return np.where(loudness > _SILENCE * loudness.max(), packed, 0).astype(np.uint32)


def sparse(whole: Fingerprint) -> Fingerprint:
    """What is stored of a fingerprint: 50 bytes a second."""
    return whole[::_SPARSE]


def same_sound(
    stored: Fingerprint, whole: Fingerprint, *, least_shift_s: float | None = None
) -> SameSound | None:
    """Where a recording repeats another one, at the shift in time at which it repeats most.

    Args:
        stored: `sparse` fingerprint of the other one.
        whole: of the recording.
        least_shift_s: only shifts by so much or more; for a recording against itself.

    Returns:
        The stretch of the recording, from the first to the last sound that both hold. None: there is none.
    """
    voiced = int(np.count_nonzero(sparse(whole)))
    best: SameSound | None = None
    for phase in range(_SPARSE):
        part = whole[phase::_SPARSE]
        window = min(_WINDOW, len(stored), len(part))
        if window < _SHORTEST:
            return None
        pad = len(stored) - window
        rows = sliding_window_view(np.pad(part, pad), len(stored))  # (shifts, stored): padding is silence
        shifts = np.arange(len(rows)) - pad  # of `stored`, in sparse frames
        if least_shift_s is not None:
            rows, shifts = (
                rows[shifts * _SPARSE_S >= least_shift_s],
                shifts[shifts * _SPARSE_S >= least_shift_s],
            )
        audible = (rows != 0) & (stored != 0)
        differing = _moving_sum(np.where(audible, np.bitwise_count(rows ^ stored), 0), window)
        compared = _moving_sum(audible, window)  # (shifts, windows)
        limit = SAME_BITS if window == _WINDOW else _SHORT_SAME_BITS
        same = (differing < limit * 32 * compared) & (2 * compared >= window)
        if not same.any():
            continue
        row = int(np.argmax(same.sum(axis=1)))
        inside = np.convolve(same[row], np.ones(window))[: len(stored)] > 0  # (stored,)
        frames = np.flatnonzero(inside & audible[row]) + shifts[row]
        share = min(len(frames) / voiced, 1.0)
        if best is None or share > best.share:
            offset_s = phase * _HOP / SAMPLE_RATE_HZ
            start_s, end_s = (float(frame) * _SPARSE_S + offset_s for frame in (frames[0], frames[-1] + 1))
            best = SameSound(round(start_s, 2), round(end_s, 2), round(share, 3))
    return best


def _moving_sum(values: NDArray[np.integer] | NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    """Sums of `width` neighbours along the last axis: (rows, n) → (rows, n - width + 1)."""
    sums = np.pad(np.cumsum(values, axis=1, dtype=np.int64), ((0, 0), (1, 0)))
    return sums[:, width:] - sums[:, :-width]
