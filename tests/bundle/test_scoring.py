from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.scoring import Calibration, Scorer, Scoring
from bundle.vectors import unit
from bundle.voice import VoiceBundle

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
    assert np.allclose(scorer.centred(matrix)[1], scorer.centred(voice(2)))
    assert np.allclose(np.linalg.norm(scorer.centred(matrix), axis=1), 1)


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


def test_the_least_rate_there_is_has_a_threshold(scorer: Scorer) -> None:
    """Divided among voices it would be 0, which has no logarithm."""
    assert scorer.threshold(5e-324, seconds=3, voices=2) == scorer.threshold(1e-300, seconds=3)


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
    calibration = by_seconds.calibration(seconds)
    assert calibration.slope * 0.5 + calibration.intercept == pytest.approx(logit)


def test_whole_recordings_have_a_table_of_their_own(by_seconds: Scorer) -> None:
    assert by_seconds.threshold(0.01, seconds=None) == pytest.approx(0.9)
    assert by_seconds.calibration(None) == Calibration(slope=99, intercept=99)


def test_rate_first_and_then_seconds(by_seconds: Scorer) -> None:
    # Halfway in log(fpr): 0.2 at 2 s and 0.4 at 8 s; then halfway in log(seconds).
    assert by_seconds.threshold(math.sqrt(0.1 * 0.01), seconds=4) == pytest.approx(0.3)
    assert by_seconds.threshold(1 - 0.9**3, seconds=4, voices=3) == pytest.approx(0.15)


MODELS = Path(__file__).parents[2] / "models"
# From release 0.1.0, whose service and trainer had a scorer each: nobody's decisions may change unasked.
SHIPPED = [
    # model, seconds of the probe, thresholds at (0.1, 1 voice), (0.01, 1), (0.01, 100), (1e-5, 1),
    # probabilities of scores -0.2, 0.25 and 0.6
    (
        "autodecompose/1.1.0",
        0.5,
        [0.16889746035888958, 0.35125367510482175, 0.6134845766274318, 0.6927454471588135],
        [5.5467587327856796e-05, 0.6726375183577838, 0.9998639294682687],
    ),
    (
        "autodecompose/1.1.0",
        2.7,
        [0.2047528137898098, 0.4202664522000826, 0.6870898795803349, 0.7526075661186263],
        [7.172545895571229e-06, 0.18634866888071178, 0.9986315097900329],
    ),
    (
        "autodecompose/1.1.0",
        5.0,
        [0.2228269472563995, 0.45753808552624453, 0.7250481981764241, 0.7776163463456524],
        [1.6010043157042805e-06, 0.0557468750407245, 0.9952695702546631],
    ),
    (
        "autodecompose/1.1.0",
        8.0,
        [0.23430477960779644, 0.4823509928462624, 0.7495089168153173, 0.7933197915554047],
        [4.53638211512707e-07, 0.020937527003383596, 0.9892766103657686],
    ),
    (
        "barlow_twins/0.1.0",
        1.0,
        [0.19174110476997877, 0.4263773456691739, 0.8204278763858265, 0.8997425655824978],
        [0.002573419733776348, 0.6752711619813355, 0.9973671830554982],
    ),
    (
        "barlow_twins/0.1.0",
        8.0,
        [0.19174110476997877, 0.4263773456691739, 0.8204278763858265, 0.8997425655824978],
        [0.002573419733776348, 0.6752711619813355, 0.9973671830554982],
    ),
]


@pytest.mark.parametrize(("model", "seconds", "thresholds", "probabilities"), SHIPPED)
def test_shipped_bundles_decide_as_they_always_did(
    model: str, seconds: float | None, thresholds: list[float], probabilities: list[float]
) -> None:
    scorer = Scorer(VoiceBundle.read(MODELS / model).scoring)
    trials = [(0.1, 1), (0.01, 1), (0.01, 100), (1e-5, 1)]
    assert [scorer.threshold(fpr, seconds=seconds, voices=voices) for fpr, voices in trials] == thresholds
    assert [scorer.probability(score, seconds=seconds) for score in (-0.2, 0.25, 0.6)] == probabilities


@pytest.fixture(scope="module")
def telephone() -> Scorer:
    """As `scorer`, with tables of probes from narrow lines, which add to the last component."""
    narrow = {
        "shift": [0.0] * (DIM - 1) + [0.5],
        "calibration": {"slope": 10, "intercept": -6},
        "false_accept": table([0.3, 0.5]),
        "by_seconds": [
            {
                "seconds": 4.0,
                "calibration": {"slope": 10, "intercept": -7},
                "false_accept": table([0.35, 0.6]),
            }
        ],
    }
    scoring = {
        "score_type": "centred_cosine",
        "mean": MEAN.tolist(),
        "calibration": {"slope": 14.2, "intercept": -5.1},
        "false_accept": [{"fpr": fpr, "threshold": threshold} for fpr, threshold in TABLE],
        "narrow": narrow,
        "fitted_on": "a test",
    }
    return Scorer(Scoring.model_validate(scoring))


def test_a_probe_from_a_narrow_line_has_thresholds_of_its_own(telephone: Scorer) -> None:
    assert telephone.threshold(0.01, seconds=None, narrow=True) == 0.5
    assert telephone.threshold(0.01, seconds=3.0, narrow=True) == 0.6
    assert telephone.threshold(0.01, seconds=3.0) == pytest.approx(0.4)
    assert telephone.probability(0.6, seconds=None, narrow=True) == 0.5
    assert telephone.probability(0.7, seconds=2.0, narrow=True) == 0.5


def test_what_a_narrow_line_adds_is_taken_out(telephone: Scorer) -> None:
    wide = unit(np.random.default_rng(1).normal(size=(3, DIM)).astype(np.float32))
    narrow = wide.copy()
    narrow[:, -1] += 0.5
    np.testing.assert_allclose(telephone.without_line(narrow), wide, atol=1e-6)


def test_a_bundle_that_knows_no_lines_treats_all_probes_alike(scorer: Scorer) -> None:
    voice = unit(np.ones((1, DIM), np.float32))
    assert scorer.without_line(voice) is voice
    assert scorer.threshold(0.01, seconds=None, narrow=True) == scorer.threshold(0.01, seconds=None)
