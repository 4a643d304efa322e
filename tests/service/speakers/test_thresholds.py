"""Which threshold decides where collections have stored ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bundle.scoring import Scorer, Scoring
from service.speakers import Strictness, VoiceIndex
from service.speakers.thresholds import StoredThreshold

STAFF = StoredThreshold(
    collection="staff",
    model="m/1",
    threshold=0.5,
    point="chosen",
    false_accept_rate=0.1,
    false_reject_rate=0.0,
    own_trials=30,
    stranger_trials=200,
    stored_at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
)
DOOR = replace(STAFF, collection="door", threshold=0.2)
FALSE_ACCEPT = [{"fpr": fpr, "threshold": 0.3 + 0.1 * i} for i, fpr in enumerate((0.1, 0.01, 0.001))]


@pytest.fixture(scope="module")
def index() -> VoiceIndex:
    scoring = Scoring.model_validate(
        {
            "score_type": "centred_cosine",
            "mean": np.zeros(8).tolist(),
            "calibration": {"slope": 10.0, "intercept": -5.0},
            "false_accept": FALSE_ACCEPT,
            "fitted_on": "nothing",
        }
    )
    return VoiceIndex("m/1", Scorer(scoring))


@pytest.mark.parametrize(
    ("stored", "score", "collection"),
    [
        ((), 0.4, None),
        ((STAFF,), 0.5, "staff"),
        ((DOOR,), 0.2, "door"),  # lower than the model's own: that is why it was stored
        ((DOOR, STAFF), 0.5, "staff"),  # of several, the strictest
        ((STAFF, None), 0.5, "staff"),
        ((DOOR, None), 0.4, None),  # voices of a collection without one are judged no less strictly
        ((replace(STAFF, model="m/2"),), 0.4, None),
    ],
)
def test_the_strictest_of_the_collections_decides(
    index: VoiceIndex, stored: tuple[StoredThreshold | None, ...], score: float, collection: str | None
) -> None:
    limit = Strictness(0.01, stored=stored).limit(index, seconds=5)
    assert (limit.score, limit.collection) == (pytest.approx(score), collection)
    assert Strictness(0.01, 0.7, stored=stored).limit(index, seconds=5).score == 0.7


def test_among_more_voices_more_is_required(index: VoiceIndex) -> None:
    """Ten comparisons at a rate of 0.1 each would nearly always let somebody pass."""
    limits = [Strictness(0.01, stored=(STAFF,)).limit(index, seconds=5, voices=n).score for n in (1, 10, 100)]
    general = [Strictness(0.1).limit(index, seconds=5, voices=n).score for n in (1, 10, 100)]
    assert np.diff(limits) == pytest.approx(np.diff(general))
    assert limits[0] < limits[1] < limits[2]


def test_a_threshold_of_another_model_is_said(index: VoiceIndex) -> None:
    (said,) = Strictness(0.01, stored=(None, DOOR, replace(STAFF, model="m/2"))).warnings(index)
    assert "'staff'" in said
    assert "m/2" in said


def test_a_rate_that_no_trial_showed_is_not_nought() -> None:
    assert replace(STAFF, false_accept_rate=0.0).rate == pytest.approx(1 / 201)
    assert replace(STAFF, false_accept_rate=1.0, stranger_trials=0).rate == pytest.approx(0)
