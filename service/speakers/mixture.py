"""Whether a second voice speaks in a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
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
_ROUNDING = 1e-9  # so that no block changes sides for ever

Sides = NDArray[np.bool_]  # (blocks,) on which of two sides each is


def log_odds(probability: float) -> float:
    """Of a probability at equal prior."""
    return math.log(probability / (1 - probability))


@dataclass(frozen=True)
class Stretch:
    """A part of a recording, and how likely it is that there is one voice in all of it."""

    start_s: float
    end_s: float
    log_odds: float  # natural log; below that of MIXED_PROBABILITY, it is another voice


def second_voice(
    crops: Float32, spans: Sequence[tuple[float, float]], scorer: Scorer
) -> tuple[float, float] | None:
    """start_s and end_s of the stretch in which a second voice speaks longest; arguments as `odd_stretch`."""
    stretch = odd_stretch(crops, spans, scorer)
    if stretch is None or stretch.log_odds >= log_odds(MIXED_PROBABILITY):
        return None
    return stretch.start_s, stretch.end_s


def odd_stretch(crops: Float32, spans: Sequence[tuple[float, float]], scorer: Scorer) -> Stretch | None:
    """Where the second of two voices speaks longest; None where there is too little speech to tell.

    First, every stretch is compared with all that lies outside of it. Then from the least likely one,
    single crops change sides while that makes one voice less likely: people may take turns. The odds come
    from the calibration for so many seconds on both sides.

    Args:
        crops: (crops, dim) unit embeddings in the order of time.
        spans: start_s and end_s of each.
    """
    size = max(1, math.ceil(len(crops) / _MOST_BLOCKS))  # crops in a block
    starts = np.arange(0, len(crops), size)
    seconds = np.diff([*starts, len(crops)]) * _CROP_S  # (blocks,)
    sums = np.add.reduceat(scorer.centred(crops).astype(np.float64), starts, axis=0)  # (blocks, dim)
    ratio = LikelihoodRatio(scorer)
    inside = _least_likely_stretch(sums, seconds, ratio)
    if inside is None:
        return None
    inside, odds = _changing_sides(inside, sums, seconds, ratio)
    beginning = seconds.cumsum() - seconds < _LEAST_S
    if seconds[inside & beginning].sum() > seconds[~inside & beginning].sum():
        inside = ~inside  # the voice that begins is the first
    first, end = _longest_run(inside)
    last = min(int(starts[end - 1]) + size, len(crops)) - 1
    return Stretch(spans[starts[first]][0], spans[last][1], odds)


def _odds(
    inside: Float64, inside_s: Float64, sums: Float64, seconds: Float64, ratio: LikelihoodRatio
) -> Float64:
    """(n,) log odds that `inside` (n, dim) and the rest are one voice; infinite where one is too short."""
    outside, outside_s = sums.sum(axis=0) - inside, seconds.sum() - inside_s
    odds = np.full(len(inside), np.inf)
    long = (inside_s >= _LEAST_S) & (outside_s >= _LEAST_S)
    scores = np.sum(unit(inside[long]) * unit(outside[long]), axis=1)
    odds[long] = ratio(scores, inside_s[long], outside_s[long])
    return odds


def _least_likely_stretch(sums: Float64, seconds: Float64, ratio: LikelihoodRatio) -> Sides | None:
    """Which blocks are in the stretch that is least the voice of the rest."""
    blocks = len(sums)
    before = np.concatenate([np.zeros((1, sums.shape[1])), np.cumsum(sums, axis=0)])  # (blocks + 1, dim)
    before_s = np.concatenate([[0.0], np.cumsum(seconds)])
    least, stretch = math.inf, None
    for first in range(blocks):
        odds = _odds(
            before[first + 1 :] - before[first], before_s[first + 1 :] - before_s[first], sums, seconds, ratio
        )
        if odds.min() < least:
            least, stretch = float(odds.min()), (first, first + 1 + int(odds.argmin()))
    if stretch is None:
        return None
    return (np.arange(blocks) >= stretch[0]) & (np.arange(blocks) < stretch[1])


def _changing_sides(
    inside: Sides, sums: Float64, seconds: Float64, ratio: LikelihoodRatio
) -> tuple[Sides, float]:
    """The sides after blocks have changed them one by one, each time the best, and the log odds then."""
    inside = inside.copy()
    odds = float(_odds(sums[inside].sum(axis=0)[None], seconds[inside].sum()[None], sums, seconds, ratio)[0])
    while True:
        sign = np.where(inside, -1.0, 1.0)  # (blocks,) of the block that changes
        changed = _odds(
            sums[inside].sum(axis=0) + sign[:, None] * sums,
            seconds[inside].sum() + sign * seconds,
            sums,
            seconds,
            ratio,
        )
        best = int(changed.argmin())
        if changed[best] >= odds - _ROUNDING:
            return inside, odds
        odds = float(changed[best])
        inside[best] = not inside[best]


def _longest_run(inside: Sides) -> tuple[int, int]:
    """First block and end of the longest run inside; a lone block outside does not end it."""
    runs: list[list[int]] = []
    for block in np.flatnonzero(inside):
        if runs and block - runs[-1][1] <= 1:
            runs[-1][1] = int(block) + 1
        else:
            runs.append([int(block), int(block) + 1])
    first, end = max(runs, key=lambda run: run[1] - run[0])
    return first, end
