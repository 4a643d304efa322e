"""Speaker verification measures over two sets of scores, exact when scores tie.

`target` holds the scores of same-speaker trials, `nontarget` those of different-speaker trials; higher means
more alike. A trial is accepted when its score is at or above the threshold.

Sources: A. Martin et al., "The DET curve in assessment of detection task performance", 1997 (DET, EER); NIST
SRE evaluation plans (normalised detection cost); N. Brümmer and J. du Preez, "Application-independent
evaluation of speaker detection", 2006 (Cllr).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float64


def det_points(target: ArrayLike, nontarget: ArrayLike) -> tuple[Float64, Float64, Float64]:
    """The corners of the DET curve: both error rates at and just above every distinct target score.

    Straight lines between the corners are the whole curve. Between two of them one rate changes, or a group
    of tied scores is split at random. Two points a distinct target score keep hundreds of millions of
    nontarget trials cheap.

    Returns:
        thresholds: (points,) ascending, from -inf to +inf.
        p_miss: (points,) share of target trials below the threshold, from 0 to 1.
        p_fa: (points,) share of nontarget trials at or above it, from 1 to 0.

    Raises:
        ValueError: one of the sets is empty or holds a score that is not finite.
    """
    targets, nontargets = np.sort(_scores("target", target)), np.sort(_scores("nontarget", nontarget))
    # One type on both sides, or a float32 tie would be no tie against float64.
    common = np.result_type(targets, nontargets)
    targets, nontargets = targets.astype(common, copy=False), nontargets.astype(common, copy=False)
    at = np.unique(targets)
    thresholds = np.stack([at, np.nextafter(at, common.type(np.inf))], axis=1).ravel()
    p_miss = np.searchsorted(targets, thresholds) / targets.size
    p_fa = 1 - np.searchsorted(nontargets, thresholds) / nontargets.size
    return (
        np.concatenate([[-np.inf], thresholds, [np.inf]]),
        np.concatenate([[0.0], p_miss, [1.0]]),
        np.concatenate([[1.0], p_fa, [0.0]]),
    )


def eer(target: ArrayLike, nontarget: ArrayLike) -> float:
    """Equal error rate in [0, 1]: where the straight lines between DET points cross `p_miss == p_fa`.

    A group of tied scores is one straight line: a random share of the group is accepted. So the order of tied
    trials never changes the figure.
    """
    _, p_miss, p_fa = det_points(target, nontarget)
    gap = p_fa - p_miss  # falls from 1 to -1
    after = int(np.argmax(gap <= 0))
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    return float(p_miss[after - 1] + share * (p_miss[after] - p_miss[after - 1]))


def min_dcf(
    target: ArrayLike, nontarget: ArrayLike, *, p_target: float = 0.01, c_miss: float = 1.0, c_fa: float = 1.0
) -> float:
    """Normalised detection cost at the best threshold; a system that ignores the audio gets 1."""
    _, p_miss, p_fa = det_points(target, nontarget)
    costs = c_miss * p_target * p_miss + c_fa * (1 - p_target) * p_fa
    return float(costs.min() / min(c_miss * p_target, c_fa * (1 - p_target)))


def act_dcf(
    target_llr: ArrayLike,
    nontarget_llr: ArrayLike,
    *,
    p_target: float = 0.01,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
) -> float:
    """Normalised detection cost of natural-log likelihood ratios, decided at the Bayes threshold."""
    targets, nontargets = _scores("target_llr", target_llr), _scores("nontarget_llr", nontarget_llr)
    threshold = np.log(c_fa * (1 - p_target)) - np.log(c_miss * p_target)
    p_miss, p_fa = np.mean(targets < threshold), np.mean(nontargets >= threshold)
    cost = c_miss * p_target * p_miss + c_fa * (1 - p_target) * p_fa
    return float(cost / min(c_miss * p_target, c_fa * (1 - p_target)))


def cllr(target_llr: ArrayLike, nontarget_llr: ArrayLike) -> float:
    """Cost of natural-log likelihood ratios in bits: 0 is perfect, 1 is no information."""
    targets, nontargets = _scores("target_llr", target_llr), _scores("nontarget_llr", nontarget_llr)
    miss = np.logaddexp(0, -targets).mean(dtype=np.float64)
    false_alarm = np.logaddexp(0, nontargets).mean(dtype=np.float64)
    return float((miss + false_alarm) / (2 * np.log(2)))


def detection_rate(
    top: ArrayLike, correct: ArrayLike, stranger_top: ArrayLike, *, false_identification: float = 0.01
) -> float:
    """Open-set identification: share of enrolled probes that are named, and named rightly, in [0, 1].

    The threshold is the lowest at which no more than `false_identification` of the strangers get a name. With
    fewer than 1 / `false_identification` strangers none may get one. Source: P. J. Phillips, P. Grother and
    R. Micheals, "Evaluation methods in face recognition", 2011: detection and identification rate at rank 1.

    Args:
        top: (probes,) each enrolled speaker's best score over all voices enrolled.
        correct: (probes,) whether that voice is of the probe's speaker.
        stranger_top: (strangers,) best score of each probe whose speaker is not enrolled.

    Raises:
        ValueError: a set is empty, holds a score that is not finite, or `correct` is of another length.
    """
    tops, strangers = _scores("top", top), np.sort(_scores("stranger_top", stranger_top))[::-1]
    right = np.asarray(correct, dtype=bool)
    if right.shape != tops.shape:
        raise ValueError(f"`correct` has shape {right.shape}, `top` {tops.shape}: give one entry a probe.")
    allowed = int(false_identification * strangers.size + 1e-9)
    named = tops > strangers[allowed] if allowed < strangers.size else np.ones_like(right)
    return float(np.mean(named & right))


def _scores(name: str, values: ArrayLike) -> NDArray[np.floating]:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    array = array.ravel()
    if array.size == 0:
        raise ValueError(f"`{name}` holds no trial: give at least one of each kind.")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` holds a score that is NaN or infinite.")
    return array
