"""Phase-gradient heap integration: a phase for a magnitude spectrogram.

Průša, Balazs, Søndergaard: A Noniterative Method for Reconstruction of Phase From STFT Magnitude,
IEEE/ACM TASLP 25(5), 2017. With a Gaussian window, the log-magnitude gives the gradient of the phase; with
other windows, approximately. The gradient is integrated from the loudest bins to the quietest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float64
from service.machine_code import compiled

#: γ / window length² of the Gaussian nearest to a window, in least squares.
GAMMA = {"hann": 0.25645, "hamming": 0.29794, "blackman": 0.17954}


def integrate_phase(
    log_magnitude: Float64, *, hop: int, gamma: float, floor: float, rng: np.random.Generator
) -> Float64:
    """The phase of ln|STFT|: (bins, frames) → (bins, frames), in radians.

    Frame n starts at sample n · hop, and its phase is relative to that. Bins go from 0 Hz to the Nyquist
    frequency, both included.

    Args:
        hop: samples from frame to frame; at most a quarter of the window for a good phase.
        gamma: γ of the window in samples²: `GAMMA` × length².
        floor: bins at or below this log-magnitude get a random phase.
    """
    s = np.ascontiguousarray(log_magnitude, dtype=np.float64)
    bins, frames = s.shape
    length = 2 * (bins - 1)  # M
    f = gamma / (hop * length)
    across_bins = np.pad(s, ((1, 1), (0, 0)), mode="edge")
    across_frames = np.pad(s, ((0, 0), (1, 1)), mode="edge")
    per_hop = (across_bins[2:] - across_bins[:-2]) / (2 * f)
    per_hop += (2 * np.pi * hop / length) * np.arange(bins)[:, None]
    per_bin = -f * (across_frames[:, 2:] - across_frames[:, :-2]) / 2 - np.pi

    phase = rng.uniform(0, 2 * np.pi, s.size)
    done = s.ravel() <= floor
    integrate = _compiled()
    seeds = np.argmax(s, keepdims=True).ravel()
    while seeds.size:  # twice: the loudest bin reaches nearly all others, so that few are left to sort
        integrate(s.ravel(), per_hop.ravel(), per_bin.ravel(), seeds, frames, done, phase)
        left = np.flatnonzero(~done)
        seeds = left[np.argsort(-s.ravel()[left], kind="stable")]
    return phase.reshape(bins, frames)


def _integrate(
    s: Float64,
    per_hop: Float64,
    per_bin: Float64,
    seeds: NDArray[np.int64],
    frames: int,
    done: NDArray[np.bool_],
    phase: Float64,
) -> None:
    """Writes the phase of every bin that can be reached from `seeds`. All arrays are flat, bin by bin.

    The heap is written out because it holds indices: heapq would compare those, not their values.
    """
    size = s.size
    heap = np.empty(size, np.int64)  # indices into s, largest s first
    for seed in seeds:
        if done[seed]:
            continue
        done[seed] = True
        phase[seed] = 0.0
        heap[0] = seed
        waiting = 1
        while waiting:
            here = heap[0]
            waiting -= 1
            moved = heap[waiting]
            at = 0
            while True:
                child = 2 * at + 1
                if child >= waiting:
                    break
                if child + 1 < waiting and s[heap[child + 1]] > s[heap[child]]:
                    child += 1
                if s[heap[child]] <= s[moved]:
                    break
                heap[at] = heap[child]
                at = child
            heap[at] = moved

            frame = here % frames
            for direction in range(4):
                if direction == 0:
                    there = here + 1
                    inside = frame + 1 < frames
                elif direction == 1:
                    there = here - 1
                    inside = frame > 0
                elif direction == 2:
                    there = here + frames
                    inside = there < size
                else:
                    there = here - frames
                    inside = there >= 0
                if not inside or done[there]:
                    continue
                if direction == 0:
                    step = (per_hop[here] + per_hop[there]) / 2
                elif direction == 1:
                    step = -(per_hop[here] + per_hop[there]) / 2
                elif direction == 2:
                    step = (per_bin[here] + per_bin[there]) / 2
                else:
                    step = -(per_bin[here] + per_bin[there]) / 2
                phase[there] = phase[here] + step
                done[there] = True
                at = waiting
                waiting += 1
                while at > 0:
                    parent = (at - 1) // 2
                    if s[heap[parent]] >= s[there]:
                        break
                    heap[at] = heap[parent]
                    at = parent
                heap[at] = there


@cache
def _compiled() -> Callable[..., None]:
    return compiled(_integrate)
