from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from trainer.metrics.information import ENTRIES_AT_ONCE, binned, mutual_information


def test_information_of_more_codes_than_fit_at_once_agrees_with_sklearn() -> None:
    rng = np.random.default_rng(0)
    rows, d = 500, ENTRIES_AT_ONCE // 500 + 10
    factors = rng.integers(0, [3, 12], size=(rows, 2))
    codes = rng.integers(0, 10, size=(rows, d))
    codes[:, [1, -1]] = (factors + rng.integers(0, 2, size=(rows, 2))) % 10
    info = mutual_information(codes, factors)
    for i in (0, 1, d // 2, d - 10, d - 1):
        expected = [mutual_info_score(codes[:, i], factor) / np.log(2) for factor in factors.T]
        assert info.I[i] == pytest.approx(expected)
        assert info.H_c[i] == pytest.approx(mutual_info_score(codes[:, i], codes[:, i]) / np.log(2))
    assert info.H_f[1] == pytest.approx(mutual_info_score(factors[:, 1], factors[:, 1]) / np.log(2))


def test_few_values_are_levels_and_many_are_binned_by_width() -> None:
    few = np.tile([1.0, 10.0, 100.0, 1000.0], 30)
    many = np.arange(120.0)
    steps = np.repeat([5.0, 5.0, 7.0], 40)  # few values at first, and to the end
    late = np.concatenate([np.zeros(100), np.arange(20.0)])  # few values at first only
    levels = binned(np.stack([few, many, steps, late], axis=1), bins=10)
    assert levels[:4, 0].tolist() == [0, 1, 2, 3]
    assert np.bincount(levels[:, 1]).tolist() == [12] * 10
    assert np.unique(levels[:, 2]).tolist() == [0, 1]
    assert np.bincount(levels[:, 3]).tolist() == [102] + [2] * 9
