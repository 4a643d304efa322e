from __future__ import annotations

from dataclasses import astuple
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.arrays import Float64
from trainer.metrics import (
    active_codes,
    dcimig,
    disentanglement,
    jemmig,
    mig,
    modularity,
    sap,
)

# MIG, SAP, DCIMIG, JEMMIG, modularity of the toy: codes against factors, and the other way round.
CORRECT = [0.994, 0.999, 0.995, 0.998, 0.742]
SWAPPED = [0.374, 0.375, 0.407, 0.377, 1.0]


def toy(seed: int, noise: str = "normal") -> tuple[Float64, Float64]:
    """3 factors of 4, 10 and 10 levels, each copied into one of 8 codes; the other 5 are noise."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(0, levels, 4000) for levels in (4, 10, 10)], axis=1).astype(float)
    rest = rng.normal(size=(4000, 5)) if noise == "normal" else rng.uniform(size=(4000, 5))
    return np.concatenate([factors, rest], axis=1)[:, rng.permutation(8)], factors


def grid(*levels: int) -> Float64:
    """Every combination of the factors' levels once, so that they are exactly independent."""
    return np.array(list(product(*map(range, levels))), dtype=float)


def figures(codes: Float64, factors: Float64) -> Float64:
    return np.array(astuple(disentanglement(codes, factors))[:5])


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_golden_toy_in_the_correct_order(noise: str) -> None:
    runs = np.array([figures(*toy(seed, noise)) for seed in range(30)])
    assert runs.mean(axis=0) == pytest.approx(CORRECT, abs=0.01)
    # Modularity scores the noise codes by their stray information alone, so a single run of it scatters.
    assert np.abs(runs - CORRECT)[:, :4].max() < 0.01
    assert disentanglement(*toy(0, noise)).active == 8


def test_golden_toy_in_the_swapped_order() -> None:
    runs = np.array([figures(*toy(seed)[::-1]) for seed in range(30)])
    assert runs.mean(axis=0) == pytest.approx(SWAPPED, abs=0.01)
    assert np.abs(runs - SWAPPED)[:, [0, 1, 3, 4]].max() < 0.01


def test_swapped_dcimig_depends_on_the_entropy_of_the_noise() -> None:
    # The noise codes stand as factors here: uniform ones fill the bins, normal ones do not.
    log10 = np.log2(10)
    codes, factors = toy(0, "uniform")
    assert dcimig(factors, codes) == pytest.approx((2 + 2 * log10) / (2 + 7 * log10), abs=0.01)


@pytest.mark.parametrize("levels", [(2, 2), (4, 10, 10), (3, 5, 7)])
def test_perfect_codes_score_one(levels: tuple[int, ...]) -> None:
    factors = grid(*levels)
    assert figures(-3 * factors + 1, factors) == pytest.approx(np.ones(5))


def test_each_function_gives_the_figure_of_the_whole() -> None:
    codes, factors = toy(3)
    each = [measure(codes, factors, bins=7) for measure in (mig, sap, dcimig, jemmig, modularity)]
    assert [*each, active_codes(codes)] == list(astuple(disentanglement(codes, factors, bins=7)))


def test_two_bits_added_and_subtracted_by_hand() -> None:
    # Each code has 3 levels (1.5 bits), tells half a bit of each factor, and fixes half of its variance.
    factors = grid(2, 2)
    x, y = factors.T
    codes = np.stack([x + y, x - y], axis=1)
    expected = [0, 0, 0, 1 - (1 + 1.5 - 0.5) / (1 + np.log2(10)), 0]
    assert figures(codes, factors) == pytest.approx(expected)


def test_rotation_lowers_every_measure() -> None:
    factors = np.random.default_rng(0).uniform(-1, 1, size=(20_000, 2))
    before = np.full(5, np.inf)
    for degrees in (0, 15, 30, 45):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        after = figures(factors @ turn, factors)
        assert after[1] == pytest.approx(np.cos(2 * angle), abs=0.02)  # SAP: cos² − sin²
        assert (after < before).all()
        before = after
    assert before[[0, 1, 2, 4]] == pytest.approx(np.zeros(4), abs=0.02)


def test_duplicated_codes_are_modular_but_not_compact() -> None:
    factors = grid(10, 10)
    result = figures(np.repeat(factors, 2, axis=1), factors)
    # JEMMIG: H(f, c*) − I₁ + I₂ is one factor's entropy, half of what it is set against.
    assert result == pytest.approx([0, 0, 1, 0.5, 1])


def test_jemmig_of_codes_that_tell_as_much_does_not_depend_on_their_order() -> None:
    factors = grid(4, 2)
    pair = factors @ [[2.0], [1.0]]  # tells both factors, with an entropy of 3 bits
    codes = np.concatenate([pair, factors], axis=1)
    # Both factors have a code of their own; the second best tells as much.
    expected = 1 - np.mean([2 / (2 + np.log2(10)), 1 / (1 + np.log2(10))])
    assert jemmig(codes, factors) == pytest.approx(expected)
    assert jemmig(codes[:, ::-1], factors) == pytest.approx(expected)


def test_noise_codes_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 5, size=(5000, 3))
    names = factors.astype(str)
    for table in (factors, names):
        result = disentanglement(rng.uniform(size=(5000, 20)), table)
        assert max(result.mig, result.dcimig, result.jemmig) < 0.01
        assert abs(result.sap) < 0.02
        assert result.active == 20


def test_constant_codes_are_inactive_whatever_their_value() -> None:
    factors = grid(4, 10)
    constant = np.full((40, 2), [0.0, 0.1])
    jitter = (np.float32(0.1) + np.float32(1e-8) * factors[:, :1]).astype(np.float32)  # the last bit
    codes = np.concatenate([factors, constant, jitter], axis=1)
    assert astuple(disentanglement(codes, factors)) == pytest.approx((1, 1, 1, 1, 1, 2))
    nothing = disentanglement(constant, factors)
    assert (nothing.mig, nothing.sap, nothing.dcimig, nothing.modularity, nothing.active) == (0, 0, 0, 0, 0)
    log10 = np.log2(10)
    assert nothing.jemmig == pytest.approx((log10 / (2 + log10) + 0.5) / 2)


def test_collapsed_codes_are_left_out_where_a_prior_fixes_the_scale() -> None:
    codes, factors = toy(0)
    noise = codes.var(axis=0) < 1.1
    codes[:, noise] *= 0.05
    assert active_codes(codes) == 8
    assert active_codes(codes, min_variance=0.01) == 3
    assert modularity(codes, factors) < 0.9
    assert modularity(codes, factors, min_variance=0.01) > 0.99


def test_names_are_predicted_by_majority_and_their_order_means_nothing() -> None:
    factors = np.repeat(grid(4, 10), 25, axis=0)
    shuffled = np.array([2, 0, 3, 1])[factors[:, 0].astype(int)]
    rng = np.random.default_rng(0)
    codes = np.stack([factors[:, 0], factors[:, 1], rng.normal(size=1000)], axis=1)
    names = np.stack(
        [np.array(["sine", "triangle", "square", "sawtooth"], dtype=object)[shuffled], factors[:, 1]], 1
    )
    numbers = np.stack([shuffled, factors[:, 1]], axis=1)
    assert sap(codes, names) == sap(codes, numbers, nominal=[0])
    assert sap(codes, names) == pytest.approx((0.75 + 1) / 2, abs=0.03)  # 1 less the chance of 4 names
    assert sap(codes, numbers) < 0.6  # as amounts, no line fits the shuffled levels
    assert mig(codes, names) == mig(codes, numbers) > 0.9


def test_many_names_are_not_binned() -> None:
    speakers = np.repeat(np.arange(40), 20)
    factors = np.stack([speakers, speakers % 2], axis=1)
    code = (speakers % 2)[:, None]
    assert dcimig(code, factors, nominal=[0]) == pytest.approx(
        0
    )  # the speaker's bit is the other factor's bit
    assert mig(code, factors, nominal=[0]) == pytest.approx((1 / np.log2(40) + 1) / 2)
    assert sap(code, factors[:, 1:]) == pytest.approx(1)
    assert sap(code, factors[:, 1:], nominal=[0]) == pytest.approx(0.5, abs=0.05)


@given(
    st.integers(0, 2**31),
    st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5),
    st.lists(st.sampled_from([-1, 1]), min_size=5, max_size=5),
    st.lists(st.floats(-10, 10), min_size=5, max_size=5),
    st.permutations(range(5)),
)
def test_scale_sign_offset_and_order_of_codes_change_nothing(
    seed: int, scales: list[float], signs: list[int], offsets: list[float], order: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(0, 4, 200), rng.normal(size=200)], axis=1)
    mixed = factors @ rng.normal(size=(2, 3)) + rng.normal(size=(200, 3))
    codes = np.concatenate([mixed, factors], axis=1)
    moved = (codes * np.array(scales) * np.array(signs) + np.array(offsets))[:, order]
    assert astuple(disentanglement(moved, factors)) == pytest.approx(astuple(disentanglement(codes, factors)))


@given(st.integers(0, 2**31), st.integers(11, 60), st.floats(1e-6, 1e6))
def test_values_on_the_edges_of_bins_stay_in_them_at_any_scale(seed: int, steps: int, scale: float) -> None:
    factors = np.random.default_rng(seed).integers(0, steps, size=(300, 2)) / steps
    codes = factors @ np.array([[1.0, 1.0], [1.0, -1.0]])
    assert figures(codes * scale, factors) == pytest.approx(figures(codes, factors))


def test_rows_may_come_in_any_order() -> None:
    codes, factors = toy(0)
    rows = np.random.default_rng(0).permutation(len(codes))
    assert figures(codes[rows], factors[rows]) == pytest.approx(figures(codes, factors))


GOOD = grid(3, 3)


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (GOOD, GOOD[:-1], "row of factors for each row of codes: got 8 for 9"),
        (GOOD[:0], GOOD[:0], "not empty"),
        (GOOD[:, :0], GOOD, "not empty"),
        (GOOD[:, 0], GOOD, "one row a sample"),
        (GOOD, GOOD[:, 0], r"reshape one factor to \(n, 1\)"),
        (np.where(GOOD == 2, np.nan, GOOD), GOOD, "leave those rows out"),
        (np.where(GOOD == 2, np.inf, GOOD), GOOD, "leave those rows out"),
        (GOOD, np.where(GOOD == 2, np.nan, GOOD), "Factor 0 holds a missing value"),
        (GOOD, np.where(GOOD == 2, np.inf, GOOD), "Factor 0 holds an infinite value"),
        (GOOD, np.where(GOOD == 2, None, "a"), "Factor 0 holds a missing value"),
        (GOOD, GOOD * [1, 0], "Factor 1 does not vary"),
        (GOOD, GOOD[:, :1], "at least two"),
    ],
)
def test_bad_arrays_are_refused(codes: Float64, factors: Float64, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        disentanglement(codes, factors)


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        mig(GOOD, GOOD, bins=1)
    with pytest.raises(ValueError, match=r"columns of the 2 factors, got \[2\]"):
        sap(GOOD, GOOD, nominal=[2])
    with pytest.raises(ValueError, match="NaN"):
        active_codes(np.full((3, 2), np.nan))
