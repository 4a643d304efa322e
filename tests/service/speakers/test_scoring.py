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


@pytest.fixture(scope="module")
def by_seconds() -> Scorer:
    """Of the same kind, at 2 s and at 8 s; what it says of whole recordings is another thing."""
    entries = [
        {"seconds": 2.0, "calibration": {"slope": 10, "intercept": -2}, "false_accept": table([0.1, 0.3])},
        {"seconds": 8.0, "calibration": {"slope": 20, "intercept": -8}, "false_accept": table([0.2, 0.6])},
    ]
    return Scorer(
        Scoring.model_validate(
            {
                "score_type": "centred_cosine",
                "mean": MEAN.tolist(),
                "calibration": {"slope": 99, "intercept": 99},
                "false_accept": table([0.8, 0.9]),
                "by_seconds": entries,
                "fitted_on": "a test",
            }
        )
    )


def table(thresholds: list[float]) -> list[dict[str, float]]:
    """At rates of 10 % and 1 %."""
    return [{"fpr": fpr, "threshold": at} for fpr, at in zip((0.1, 0.01), thresholds, strict=True)]


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
    assert 0 <= scorer.probability(low, seconds=3) <= scorer.probability(high, seconds=3) <= 1


def test_probability_is_the_calibration(scorer: Scorer) -> None:
    assert scorer.probability(5.1 / 14.2, seconds=3) == pytest.approx(0.5)
    assert scorer.probability(0.5, seconds=3) == pytest.approx(1 / (1 + math.exp(-(14.2 * 0.5 - 5.1))))


@given(rates, rates, st.integers(1, 1_000_000))
def test_threshold_falls_as_the_rate_grows(scorer: Scorer, a: float, b: float, voices: int) -> None:
    low, high = sorted((a, b))
    assert scorer.threshold(low, seconds=3, voices=voices) >= scorer.threshold(high, seconds=3, voices=voices)
    assert -0.1 <= scorer.threshold(a, seconds=3, voices=voices) <= 0.5


@given(rates, st.integers(0, 100_000), st.integers(0, 100_000))
def test_threshold_grows_with_the_voices(scorer: Scorer, rate: float, a: int, b: int) -> None:
    few, many = sorted((a, b))
    assert scorer.threshold(rate, seconds=3, voices=few) <= scorer.threshold(rate, seconds=3, voices=many)


@pytest.mark.parametrize(("fpr", "threshold"), TABLE)
def test_threshold_meets_the_table(scorer: Scorer, fpr: float, threshold: float) -> None:
    assert scorer.threshold(fpr, seconds=3) == pytest.approx(threshold)


def test_threshold_is_linear_in_log_rate(scorer: Scorer) -> None:
    assert scorer.threshold(math.sqrt(0.1 * 0.01), seconds=3) == pytest.approx(0.3)


def test_many_voices_share_the_rate(scorer: Scorer) -> None:
    # 1 − (1 − 0.01)^10 is the rate of any false name among ten trials at 0.01 each.
    assert scorer.threshold(1 - 0.99**10, seconds=3, voices=10) == pytest.approx(
        scorer.threshold(0.01, seconds=3)
    )
    # No loss of precision where 1 − fpr rounds to 1.
    assert scorer.threshold(1e-3, seconds=3, voices=1) == pytest.approx(0.5)
    assert scorer.threshold(0.5, seconds=3, voices=1_000_000_000) == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [0, 1, -0.1, 2, math.nan])
def test_impossible_rates_are_refused(scorer: Scorer, rate: float) -> None:
    with pytest.raises(ValueError, match="target_fpr"):
        scorer.threshold(rate, seconds=3)


def test_without_entries_by_length_every_length_is_the_same(scorer: Scorer) -> None:
    assert len({scorer.threshold(0.05, seconds=seconds) for seconds in (0.2, 1, 7, 1000)}) == 1
    assert len({scorer.probability(0.3, seconds=seconds) for seconds in (0.2, 1, 7, 1000)}) == 1


@pytest.mark.parametrize(
    ("seconds", "expected", "logit"),
    [
        (2, 0.3, 10 * 0.5 - 2),
        (4, 0.45, 15 * 0.5 - 5),  # halfway in log(seconds)
        (8, 0.6, 20 * 0.5 - 8),
        (0.3, 0.3, 10 * 0.5 - 2),  # clamped
        (600, 0.6, 20 * 0.5 - 8),
    ],
)
def test_seconds_decide_threshold_and_probability(
    by_seconds: Scorer, seconds: float, expected: float, logit: float
) -> None:
    assert by_seconds.threshold(0.01, seconds=seconds) == pytest.approx(expected)
    assert by_seconds.probability(0.5, seconds=seconds) == pytest.approx(1 / (1 + math.exp(-logit)))


def test_rate_first_and_then_seconds(by_seconds: Scorer) -> None:
    # Halfway in log(fpr): 0.2 at 2 s and 0.4 at 8 s; then halfway in log(seconds).
    assert by_seconds.threshold(math.sqrt(0.1 * 0.01), seconds=4) == pytest.approx(0.3)
    assert by_seconds.threshold(1 - 0.9**3, seconds=4, voices=3) == pytest.approx(0.15)
