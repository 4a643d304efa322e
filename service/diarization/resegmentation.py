"""Who speaks in each window: the likeliest path through the voices, with a duration of turns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float64


@dataclass(frozen=True)
class TurnTaking:
    """How probable it is that another voice goes on."""

    turn_s: float = 4.0  # mean time from one change of voice to the next, within running speech
    after_pause: float = 0.3  # probability of a change where a region of speech ends


def likeliest_path(
    evidence: Float64, seconds: Float64, regions: NDArray[np.intp], turns: TurnTaking
) -> NDArray[np.intp]:
    """Viterbi: the voice of each window (windows,).

    Args:
        evidence: (windows, voices) natural-log likelihood of each window under each voice, up to a constant
            for each window.
        seconds: (windows,) that each window stands for.
        regions: (windows,) number of its region of speech.
    """
    windows, voices = evidence.shape
    if voices == 1:
        return np.zeros(windows, np.intp)
    change = np.where(np.diff(regions) > 0, turns.after_pause, 1 - np.exp(-seconds[1:] / turns.turn_s))
    best = evidence[0] - math.log(voices)
    came_from = np.empty((windows, voices), np.intp)
    stayed = np.arange(voices)
    for t in range(1, windows):
        p = min(float(change[t - 1]), 1 - 1 / voices)  # never likelier to change than to stay by chance
        stay, switch = best + math.log(1 - p), best.max() + math.log(p / (voices - 1))
        came_from[t] = np.where(stay >= switch, stayed, int(best.argmax()))
        best = np.maximum(stay, switch) + evidence[t]
    path = np.empty(windows, np.intp)
    path[-1] = int(best.argmax())
    for t in range(windows - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path
