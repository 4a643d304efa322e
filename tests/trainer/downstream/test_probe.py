from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.downstream import labelled_share, linear_probe


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80), st.floats(0.1, 100), st.integers(0, 99))
def test_each_class_gives_its_share_and_at_least_one(classes: list[int], percent: float, seed: int) -> None:
    labels = np.asarray(classes)
    chosen = labelled_share(labels, percent, seed)
    assert len(np.unique(chosen)) == len(chosen)
    for name in set(classes):
        of_class = (labels == name).sum()
        assert (labels[chosen] == name).sum() == max(1, round(of_class * percent / 100))


def test_a_draw_is_seeded_and_smaller_ones_lie_within_larger_ones() -> None:
    labels = np.repeat([0, 1, 2], [40, 60, 100])
    shares = [set(labelled_share(labels, percent, seed=3).tolist()) for percent in (5, 10, 50, 100)]
    assert all(small < large for small, large in pairwise(shares))
    assert shares[-1] == set(range(200))
    assert set(labelled_share(labels, 10, seed=3).tolist()) == shares[1]
    assert set(labelled_share(labels, 10, seed=4).tolist()) != shares[1]


@pytest.mark.parametrize("percent", [0, -5, 101])
def test_a_share_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="at most 100"):
        labelled_share([0, 1], percent, seed=0)


def test_separable_classes_score_100_and_random_ones_chance() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 16))
    train_y, test_y = np.arange(5).repeat(40), np.arange(5).repeat(100)
    train_x, test_x = (centres[y] + 0.05 * rng.normal(size=(len(y), 16)) for y in (train_y, test_y))
    assert linear_probe(train_x, train_y, test_x, test_y) == 100
    assert 12 < linear_probe(rng.normal(size=(200, 16)), train_y, rng.normal(size=(500, 16)), test_y) < 28


def test_scale_and_offset_of_a_feature_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    y = np.arange(4).repeat(50)
    x = rng.normal(size=(4, 8))[y] + rng.normal(size=(200, 8))
    scale, offset = np.geomspace(1e-3, 1e3, 8), np.linspace(-5, 5, 8)
    plain = linear_probe(x[::2], y[::2], x[1::2], y[1::2])
    scaled = x * scale + offset
    assert 30 < plain < 100
    assert linear_probe(scaled[::2], y[::2], scaled[1::2], y[1::2]) == pytest.approx(plain, abs=2)
