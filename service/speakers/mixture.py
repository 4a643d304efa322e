"""Whether a second voice speaks in a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.diarization.clustering import LikelihoodRatio

#: Below this probability, two stretches of a recording are two voices. Chosen on train speakers, so that one
#: recording of one voice in a hundred is flagged: `python -m benchmarks enrolments --train`.
MIXED_PROBABILITY = 0.5
_LEAST_S = 3.0  # of speech on either side; fewer crops say too little of a voice
_MOST_BLOCKS = 64  # so that an hour costs no more than a minute
_CROP_S = CROP_SAMPLES / SAMPLE_RATE_HZ


def log_odds(probability: float) -> float:
    """Of a probability at equal prior."""
    return math.log(probability / (1 - probability))


@dataclass(frozen=True)
class Stretch:
    """A part of a recording, and how likely the rest of it is the same voice."""

    start_s: float
    end_s: float
    log_odds: float  # natural log; below that of MIXED_PROBABILITY, it is another voice


def second_voice(
    crops: Float32, spans: Sequence[tuple[float, float]], scorer: Scorer
) -> tuple[float, float] | None:
    """start_s and end_s of the stretch that is another voice's than the rest; arguments as `odd_stretch`."""
    stretch = odd_stretch(crops, spans, scorer)
    if stretch is None or stretch.log_odds >= log_odds(MIXED_PROBABILITY):
        return None
    return stretch.start_s, stretch.end_s


def odd_stretch(crops: Float32, spans: Sequence[tuple[float, float]], scorer: Scorer) -> Stretch | None:
    """The stretch that is least the voice of the rest; None where there is too little speech to tell.

    Every stretch is compared with all that lies outside of it. The odds come from the calibration for so
    many seconds on both sides. Where the recording begins with one voice and ends with another, the later
    stretch is given.

    Args:
        crops: (crops, dim) unit embeddings in the order of time.
        spans: start_s and end_s of each.
    """
    ratio = LikelihoodRatio(scorer)
    size = max(1, math.ceil(len(crops) / _MOST_BLOCKS))  # crops in a block
    starts = np.arange(0, len(crops), size)
    counts = np.diff([*starts, len(crops)])
    sums = np.add.reduceat(scorer.centred(crops).astype(np.float64), starts, axis=0)
    before = np.concatenate([np.zeros((1, sums.shape[1])), np.cumsum(sums, axis=0)])  # (blocks + 1, dim)
    seconds = np.concatenate([[0.0], np.cumsum(counts * _CROP_S)])
    least, stretch = math.inf, None
    for first in range(len(starts)):
        inside = before[first + 1 :] - before[first]  # (stretches from here, dim)
        outside = before[-1] - inside
        inside_s = seconds[first + 1 :] - seconds[first]
        outside_s = seconds[-1] - inside_s
        long = np.flatnonzero((inside_s >= _LEAST_S) & (outside_s >= _LEAST_S))
        if not len(long):
            continue
        scores = np.sum(unit(inside[long]) * unit(outside[long]), axis=1)
        values = ratio(scores, inside_s[long], outside_s[long])
        if values.min() < least:
            least = float(values.min())
            stretch = first, first + 1 + int(long[values.argmin()])
    if stretch is None:
        return None
    first, end = stretch
    if first == 0:  # what comes after it
        first, end = end, len(starts)
    last = min(int(starts[end - 1]) + size, len(crops)) - 1
    return Stretch(spans[starts[first]][0], spans[last][1], least)
