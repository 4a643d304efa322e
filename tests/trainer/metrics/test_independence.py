from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics.independence import hsic, hsic_floor, linear_r2

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
NOISE = RNG.normal(size=(300, 2))
TESTED = np.arange(300) % 3 == 0


def test_hsic_is_one_with_itself_and_the_floor_with_noise() -> None:
    assert hsic(X, X) == pytest.approx(1.0)
    assert hsic(X, 5 * X[:, ::-1] + 2) == pytest.approx(1.0)
    assert hsic(X, NOISE) == pytest.approx(hsic_floor(X, NOISE), abs=0.02)


def test_hsic_sees_what_no_line_does() -> None:
    parabola = X[:, :1] ** 2
    assert hsic(X[:, :1], parabola) > 5 * hsic_floor(X[:, :1], parabola)
    assert linear_r2(X[:, :1], parabola, TESTED) < 0.1


def test_a_line_is_found_on_rows_that_were_not_learnt() -> None:
    assert linear_r2(X, X @ [[1.0], [2.0], [-1.0]], TESTED, penalty=0.1) > 0.99
    assert linear_r2(NOISE, X, TESTED) < 0.05


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="same samples"):
        hsic(X, NOISE[:50])
    with pytest.raises(ValueError, match="does not vary"):
        hsic(np.ones((300, 2)), X)
