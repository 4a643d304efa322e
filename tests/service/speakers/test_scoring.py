from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference import Scoring
from service.speakers import Scorer

DIM = 16
MEAN = np.random.default_rng(0).normal(scale=0.1, size=DIM)
TABLE = [(0.1, 0.2), (0.01, 0.4), (0.001, 0.5), (0.5, -0.1)]  # in no order

scores = st.floats(-1, 1)
rates = st.floats(1e-9, 1 - 1e-9)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(
        Scoring.model_validate(
            {
                "score_type": "centred_cosine",
                "mean": MEAN.tolist(),
                "calibration": {"slope": 14.2, "intercept": -5.1},
                "false_accept": [{"fpr": fpr, "threshold": threshold} for fpr, threshold in TABLE],
                "fitted_on": "a test",
            }
        )
    )


def voice(seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return x / np.linalg.norm(x)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_score_is_the_cosine_of_centred_voices(scorer: Scorer, i: int, j: int) -> None:
    a, b = voice(i).astype(np.float64) - MEAN, voice(j).astype(np.float64) - MEAN
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    score = scorer.score(voice(i), voice(j))
    assert score == pytest.approx(expected, abs=1e-5)
    assert -1 <= score <= 1
    assert score == pytest.approx(scorer.score(voice(j), voice(i)), abs=1e-6)
    assert scorer.score(voice(i), voice(i)) == pytest.approx(1, abs=1e-6)


def test_centring_takes_a_voice_or_a_matrix(scorer: Scorer) -> None:
    matrix = np.stack([voice(1), voice(2)])
    assert np.allclose(scorer.centre(matrix)[1], scorer.centre(voice(2)))
    assert np.allclose(np.linalg.norm(scorer.centre(matrix), axis=1), 1)


@given(scores, scores)
def test_probability_grows_with_the_score(scorer: Scorer, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= scorer.probability(low) <= scorer.probability(high) <= 1


def test_probability_is_the_calibration(scorer: Scorer) -> None:
    assert scorer.probability(5.1 / 14.2) == pytest.approx(0.5)
    assert scorer.probability(0.5) == pytest.approx(1 / (1 + math.exp(-(14.2 * 0.5 - 5.1))))


@given(rates, rates, st.integers(1, 1_000_000))
def test_threshold_falls_as_the_rate_grows(scorer: Scorer, a: float, b: float, voices: int) -> None:
    low, high = sorted((a, b))
    assert scorer.threshold(low, voices=voices) >= scorer.threshold(high, voices=voices)
    assert -0.1 <= scorer.threshold(a, voices=voices) <= 0.5


@given(rates, st.integers(0, 100_000), st.integers(0, 100_000))
def test_threshold_grows_with_the_voices(scorer: Scorer, rate: float, a: int, b: int) -> None:
    few, many = sorted((a, b))
    assert scorer.threshold(rate, voices=few) <= scorer.threshold(rate, voices=many)


@pytest.mark.parametrize(("fpr", "threshold"), TABLE)
def test_threshold_meets_the_table(scorer: Scorer, fpr: float, threshold: float) -> None:
    assert scorer.threshold(fpr) == pytest.approx(threshold)


def test_threshold_is_linear_in_log_rate(scorer: Scorer) -> None:
    assert scorer.threshold(math.sqrt(0.1 * 0.01)) == pytest.approx(0.3)


def test_many_voices_share_the_rate(scorer: Scorer) -> None:
    # 1 − (1 − 0.01)^10 is the rate of any false name among ten trials at 0.01 each.
    assert scorer.threshold(1 - 0.99**10, voices=10) == pytest.approx(scorer.threshold(0.01))
    # No loss of precision where 1 − fpr rounds to 1.
    assert scorer.threshold(1e-3, voices=1) == pytest.approx(0.5)
    assert scorer.threshold(0.5, voices=1_000_000_000) == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [0, 1, -0.1, 2, math.nan])
def test_impossible_rates_are_refused(scorer: Scorer, rate: float) -> None:
    with pytest.raises(ValueError, match="target_fpr"):
        scorer.threshold(rate)
