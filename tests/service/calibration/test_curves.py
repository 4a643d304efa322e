from __future__ import annotations

import numpy as np
import pytest

from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from service.calibration import ErrorCurves, Trials, run_trials

DIM = 24


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(
        Scoring.model_validate(
            {
                "score_type": "centred_cosine",
                "mean": [0.0] * DIM,
                "calibration": {"slope": 1, "intercept": 0},
                "false_accept": [{"fpr": 0.1, "threshold": 0}],
                "fitted_on": "a test",
            }
        )
    )


def test_recordings_meet_the_others_of_their_speaker_and_all_strangers(scorer: Scorer) -> None:
    rng = np.random.default_rng(0)
    voices = rng.normal(size=(3, DIM))
    labels = ["a", "a", "a", "b", "b", "c"]
    recordings = [
        unit((voices["abc".index(label)] + 0.1 * rng.normal(size=(4, DIM))).astype(np.float32))
        for label in labels
    ]
    trials = run_trials(recordings, labels, scorer)
    assert (len(trials.own), len(trials.strangers)) == (5, 12), "c has one recording"
    rest = unit(recordings[1].sum(axis=0) + recordings[2].sum(axis=0))
    assert trials.own[0] == pytest.approx(float(unit(recordings[0].sum(axis=0)) @ rest), abs=1e-5)
    assert trials.own.min() > trials.strangers.max()


def test_the_threshold_keeps_to_the_rate() -> None:
    curves = ErrorCurves.of(Trials(np.array([0.5, 0.7, 0.9]), np.linspace(0, 0.6, 100)))
    assert curves.at(curves.threshold(0.1)) == (pytest.approx(0.1), pytest.approx(1 / 3))
    assert curves.at(curves.threshold(0.001))[0] == 0
    assert curves.at(curves.threshold(0.999))[0] <= 0.999
    accepted, refused = curves.at(curves.equal)
    assert accepted == pytest.approx(refused, abs=0.35)


def test_scores_that_are_all_alike_have_curves_too() -> None:
    curves = ErrorCurves.of(Trials(np.array([0.5]), np.array([0.5])))
    assert (curves.false_accept[0], curves.false_accept[-1]) == (1, 0)
    assert (curves.false_reject[0], curves.false_reject[-1]) == (0, 1)
