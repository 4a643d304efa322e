from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics import act_dcf, cllr, det_points, detection_rate, eer, min_dcf

# Few distinct values, so that ties within and across the two sets are the rule.
tied_scores = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=40)
loose_scores = st.lists(st.floats(-50, 50, allow_nan=False), min_size=1, max_size=40)


def rates(target: list[float], nontarget: list[float], threshold: float) -> tuple[float, float]:
    """Miss and false-alarm rate by the definition, trial by trial."""
    miss = sum(score < threshold for score in target) / len(target)
    return miss, sum(score >= threshold for score in nontarget) / len(nontarget)


@given(tied_scores, tied_scores)
def test_det_points_follow_the_definition(target: list[float], nontarget: list[float]) -> None:
    thresholds, p_miss, p_fa = det_points(target, nontarget)
    assert set(target) <= set(thresholds)
    assert list(thresholds) == sorted(thresholds)
    for threshold, miss, false_alarm in zip(thresholds, p_miss, p_fa, strict=True):
        assert (miss, false_alarm) == pytest.approx(rates(target, nontarget, threshold))
    assert (p_miss[0], p_fa[0], p_miss[-1], p_fa[-1]) == (0, 1, 1, 0)


@given(tied_scores, tied_scores, st.integers(0, 2**31))
def test_order_of_trials_does_not_matter(target: list[float], nontarget: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert eer(rng.permutation(target), rng.permutation(nontarget)) == eer(target, nontarget)


@given(loose_scores, loose_scores)
def test_eer_is_symmetric_and_keeps_under_monotone_maps(target: list[float], nontarget: list[float]) -> None:
    value = eer(target, nontarget)
    assert 0 <= value <= 1
    assert eer(-np.asarray(nontarget), -np.asarray(target)) == pytest.approx(value)
    assert eer(8 * np.asarray(target), 8 * np.asarray(nontarget)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("target", "nontarget", "expected"),
    [
        ([1.0, 2.0], [-1.0, 0.0], 0.0),
        ([-1.0, 0.0], [1.0, 2.0], 1.0),
        ([0.0, 0.0], [0.0, 0.0, 0.0], 0.5),  # nothing but ties: a coin
        ([1.0, 3.0], [0.0, 2.0], 0.5),
        ([1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 0.5, 2.5], 0.25),
        ([1.0, 1.0, 2.0], [0.0, 1.0], 2 / 7),  # on the line from (miss 0, fa 1/2) to (miss 2/3, fa 0)
    ],
)
def test_eer_of_small_sets(target: list[float], nontarget: list[float], expected: float) -> None:
    assert eer(target, nontarget) == pytest.approx(expected)


@given(tied_scores, tied_scores)
def test_min_dcf_is_the_smallest_cost_and_at_most_one(target: list[float], nontarget: list[float]) -> None:
    thresholds = [*{*target, *nontarget}, math.inf]
    costs = [0.01 * miss + 0.99 * fa for miss, fa in (rates(target, nontarget, t) for t in thresholds)]
    assert min_dcf(target, nontarget) == pytest.approx(min(costs) / 0.01)
    assert min_dcf(target, nontarget) <= 1


@given(loose_scores, loose_scores)
def test_actual_cost_is_never_below_the_minimum(target: list[float], nontarget: list[float]) -> None:
    assert act_dcf(target, nontarget) >= min_dcf(target, nontarget) - 1e-12


def test_act_dcf_uses_the_bayes_threshold() -> None:
    bayes = math.log(99)  # (1 - 0.01) / 0.01
    assert act_dcf([bayes + 0.1], [bayes - 0.1]) == 0
    assert act_dcf([bayes - 0.1], [0.0]) == 1
    assert act_dcf([bayes + 0.1], [bayes + 0.1] + [0.0] * 98) == pytest.approx(1.0)  # one false alarm in 99


def test_act_dcf_golden() -> None:
    # At even prior and costs the threshold is 0: one of four missed, two of four accepted.
    cost = act_dcf([-0.1, 0.0, 1.0, 2.0], [-3.0, -2.0, 0.0, 0.5], p_target=0.5)
    assert cost == pytest.approx((0.5 * 0.25 + 0.5 * 0.5) / 0.5)


def test_det_points_golden() -> None:
    thresholds, p_miss, p_fa = det_points([1.0, 3.0], [0.0, 1.0, 2.0, 4.0])
    above = [math.nextafter(1.0, 2), math.nextafter(3.0, 4)]
    assert list(thresholds) == [-math.inf, 1.0, above[0], 3.0, above[1], math.inf]
    assert list(p_miss) == [0, 0, 0.5, 0.5, 1, 1]
    assert list(p_fa) == [1, 0.75, 0.5, 0.25, 0.25, 0]


# Five probes of enrolled speakers, the third of which is taken for somebody else.
TOP, CORRECT = [0.9, 0.8, 0.7, 0.4, 0.2], [True, True, False, True, True]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.1, 2 / 5),  # no stranger of four may pass 0.6: above it two are named rightly, one wrongly
        (0.25, 3 / 5),  # one may: everything above 0.3
        (0.5, 4 / 5),  # two may: everything above 0.1
        (1.0, 4 / 5),
    ],
)
def test_detection_rate_golden(rate: float, expected: float) -> None:
    strangers = [0.1, 0.6, 0.3, 0.0]
    assert detection_rate(TOP, CORRECT, strangers, false_identification=rate) == pytest.approx(expected)


def test_detection_rate_lets_no_tied_stranger_in() -> None:
    # One of four may pass, but two are tied at 0.8: neither does, nor the probe that scores the same.
    strangers = [0.8, 0.8, 0.0, 0.0]
    assert detection_rate(TOP, CORRECT, strangers, false_identification=0.25) == pytest.approx(1 / 5)


def test_detection_rate_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="one entry a probe"):
        detection_rate([0.5], [True, False], [0.1])


def test_cllr_golden() -> None:
    assert cllr([0.0, 0.0], [0.0]) == pytest.approx(1.0)
    assert cllr([200.0], [-200.0]) == pytest.approx(0.0)
    # (log2(1 + 1/3) + log2(1 + 1/2)) / 2
    assert cllr([math.log(3)], [-math.log(2)]) == pytest.approx((math.log2(4 / 3) + math.log2(1.5)) / 2)


def test_eer_of_two_gaussians_matches_theory() -> None:
    rng = np.random.default_rng(0)
    # Two unit Gaussians 2 apart: the error at the midpoint is Φ(-1).
    assert eer(rng.normal(2, 1, 200_000), rng.normal(0, 1, 200_000)) == pytest.approx(0.158655, abs=0.002)


@pytest.mark.parametrize(
    ("target", "nontarget"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0]), ([1.0], [math.inf])]
)
def test_empty_and_non_finite_scores_are_refused(target: list[float], nontarget: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no trial|NaN or infinite"):
        eer(target, nontarget)
