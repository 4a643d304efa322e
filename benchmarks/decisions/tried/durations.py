"""Should the calibration know how much was said? Measured on train speakers, pairs of equal length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.model import Voices
from bundle.arrays import Float32, Float64
from trainer.metrics import act_dcf, cllr
from trainer.scoring.calibration import fit_calibration

DRAWS = 5
WAYS = ("whole clips", "all lengths", "length known")


@dataclass(frozen=True)
class Durations:
    """Means over draws of which half of the speakers fits and which is measured."""

    fits: dict[float, tuple[float, float]]  # slope and intercept that fit this length alone
    cllr: dict[float, list[float]]  # bits, in the order of WAYS
    act_dcf: dict[float, list[float]]


def try_durations(whole: Voices, cut: dict[float, Voices], *, seed: int = 0) -> Durations:
    """Three calibrations, fitted on half of the speakers and measured on the other half.

    *Whole clips* is how a bundle's calibration is fitted; *all lengths* is one slope and intercept over every
    length of `cut`, each of equal weight; in *length known* both are linear in the logarithm of the seconds.

    Args:
        cut: utterances by seconds of speech, of speakers who are in `whole` too.
    """
    rng = np.random.default_rng(seed)
    names = np.unique(np.concatenate([voices.speakers for voices in cut.values()]))
    fits: dict[float, list[tuple[float, float]]] = {seconds: [] for seconds in cut}
    costs: dict[float, list[list[tuple[float, float]]]] = {seconds: [] for seconds in cut}
    for _ in range(DRAWS):
        aside, fitting = np.split(rng.permutation(names), [len(names) // 2])
        fit_pairs = {seconds: voices.of(fitting).pairs() for seconds, voices in cut.items()}
        plain = fit_calibration(*whole.of(fitting).pairs(), rng)
        pooled = _fit(fit_pairs, _score_only)
        aware = _fit(fit_pairs, _with_length)
        for seconds, voices in cut.items():
            alone = fit_calibration(*fit_pairs[seconds], rng)
            fits[seconds].append((alone["slope"], alone["intercept"]))
            kinds = voices.of(aside).pairs()
            llrs = [
                [plain["slope"] * kind + plain["intercept"] for kind in kinds],
                [_score_only(kind, seconds) @ pooled[:-1] + pooled[-1] for kind in kinds],
                [_with_length(kind, seconds) @ aware[:-1] + aware[-1] for kind in kinds],
            ]
            costs[seconds].append([(cllr(*kinds), act_dcf(*kinds)) for kinds in llrs])
    means = {seconds: np.mean(draws, axis=0) for seconds, draws in costs.items()}  # (ways, 2)
    return Durations(
        fits={
            seconds: (float(np.mean([s for s, _ in draws])), float(np.mean([i for _, i in draws])))
            for seconds, draws in fits.items()
        },
        cllr={seconds: mean[:, 0].tolist() for seconds, mean in means.items()},
        act_dcf={seconds: mean[:, 1].tolist() for seconds, mean in means.items()},
    )


def _score_only(scores: Float32, _: float) -> Float64:
    return scores.astype(np.float64)[:, None]


def _with_length(scores: Float32, seconds: float) -> Float64:
    """(pairs, 3): score, log of the length, and their product."""
    wide, length = scores.astype(np.float64), np.log(seconds)
    return np.stack([wide, np.full_like(wide, length), wide * length], axis=1)


def _fit(
    pairs: dict[float, tuple[Float32, Float32]], features: Callable[[Float32, float], Float64]
) -> Float64:
    """Logistic regression, each length and kind of pair of equal weight: (features + 1,), intercept last."""
    from sklearn.linear_model import LogisticRegression

    kinds = [
        (features(scores, seconds), label)
        for seconds, both in pairs.items()
        for label, scores in zip((1, 0), both, strict=True)
    ]
    sizes = [len(x) for x, _ in kinds]
    labels, weights = np.repeat([label for _, label in kinds], sizes), np.repeat(1 / np.array(sizes), sizes)
    fit = LogisticRegression(C=1e4, solver="newton-cholesky")
    fit.fit(np.concatenate([x for x, _ in kinds]), labels, sample_weight=weights * len(labels) / len(kinds))
    return np.append(fit.coef_[0], fit.intercept_[0])
