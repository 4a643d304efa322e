"""Adaptive score normalisation: would it help? Measured on train speakers set aside.

P. Matějka et al., "Analysis of score normalization in multilingual speaker recognition", 2017. A
score is standardised twice, by the best scores of either side against a cohort of other speakers. The two
results are averaged.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.decisions.model import Voices
from bundle.arrays import Float32, Float64
from trainer.metrics import act_dcf, cllr, eer, min_dcf
from trainer.scoring.calibration import fit_calibration

Scores = tuple[Float32, Float32]  # of pairs of one voice, and of two

TOPS = (20, 50, 100, 200)  # best cohort scores that are taken
DRAWS = 5


MEASURES = ("EER, %", "minDCF", "actual DCF", "Cllr")


def try_normalisation(
    trials: dict[str, Voices], cohort: Voices, *, seed: int = 0
) -> dict[int | None, dict[str, Float64]]:
    """Figures on half of the speakers; the other half fits the calibration and is in the cohort.

    Args:
        trials: the same speakers under several conditions; the first is what the calibration is fitted on.
        cohort: one vector a speaker, of the trials' speakers and of others.

    Returns:
        For None (no normalisation) and each of `TOPS` that the cohort is large enough for, by condition:
        `MEASURES`, mean over `DRAWS` draws of the halves.
    """
    first = next(iter(trials.values()))
    names = np.unique(first.speakers)
    rng = np.random.default_rng(seed)
    by_setting: dict[int | None, dict[str, list[list[float]]]] = {}
    for _ in range(DRAWS):
        aside, fitting = np.split(rng.permutation(names), [len(names) // 2])
        others = cohort.of([name for name in cohort.speakers if name not in set(aside)])
        for top in _settings(len(others.speakers)):
            calibration = fit_calibration(*scores(first.of(fitting), others, top), rng)
            for condition, voices in trials.items():
                target, nontarget = scores(voices.of(aside), others, top)
                by_setting.setdefault(top, {}).setdefault(condition, []).append(
                    measures(target, nontarget, calibration)
                )
    return {
        top: {condition: np.mean(draws, axis=0) for condition, draws in by_condition.items()}
        for top, by_condition in by_setting.items()
    }


def measures(target: Float32, nontarget: Float32, calibration: dict[str, float]) -> list[float]:
    """`MEASURES` of two sets of scores."""
    slope, intercept = calibration["slope"], calibration["intercept"]
    llrs = slope * target + intercept, slope * nontarget + intercept
    return [100 * eer(target, nontarget), min_dcf(target, nontarget), act_dcf(*llrs), cllr(*llrs)]


def scores(voices: Voices, cohort: Voices, top: int | None) -> Scores:
    """Every pair of utterances, normalised by each side's `top` best cohort scores, or not at all (None).

    A speaker's own vector in the cohort is left out.
    """
    raw = voices.vectors @ voices.vectors.T
    if top is not None:
        against = voices.vectors @ cohort.vectors.T  # (utterances, cohort)
        against[voices.speakers[:, None] == cohort.speakers[None]] = -np.inf
        best = np.partition(against, -top, axis=1)[:, -top:]
        mean, deviation = best.mean(axis=1, keepdims=True), best.std(axis=1, keepdims=True)
        one_side = (raw - mean) / deviation
        raw = (one_side + one_side.T) / 2
    upper = np.triu(np.ones(raw.shape, dtype=bool), k=1)
    same = voices.speakers[:, None] == voices.speakers[None]
    return raw[upper & same], raw[upper & ~same]


def _settings(cohort: int) -> Iterator[int | None]:
    yield None
    yield from (top for top in TOPS if top < cohort)
