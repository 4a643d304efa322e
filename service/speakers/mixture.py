"""Whether a second voice speaks in a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.diarization.clustering import LikelihoodRatio

#: Below this probability, two stretches of a recording are two voices. Chosen on train speakers set aside.
MIXED_PROBABILITY = 0.6
_LEAST_S = 3.0  # of speech on either side; fewer crops say too little of a voice
_MOST_BLOCKS = 64  # so that an hour costs no more than a minute
_CROP_S = CROP_SAMPLES / SAMPLE_RATE_HZ


def log_odds(probability: float) -> float:
    """Of a probability at equal prior."""
    return math.log(probability / (1 - probability))


def second_voice(
    crops: Float32, spans: Sequence[tuple[float, float]], scorer: Scorer
) -> tuple[float, float] | None:
    """start_s and end_s of the stretch that is least the voice of the rest, if it is another's.

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
    least, stretch = log_odds(MIXED_PROBABILITY), None
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
    return spans[starts[first]][0], spans[min(int(starts[end - 1]) + size, len(crops)) - 1][1]
