from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from bundle.scoring import Scorer, Scoring
from service.speakers import Embedding, Quality, Speaker, Utterance, assess
from service.speakers.quality import centred_sum, cohesion, stored_sum

DIM, MODEL = 32, "m/1"
MEAN = np.full(DIM, 0.05)
MIXED = 0.4


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(
        Scoring.model_validate(
            {
                "score_type": "centred_cosine",
                "mean": MEAN.tolist(),
                "calibration": {"slope": 10, "intercept": -3},
                "false_accept": [{"fpr": 0.1, "threshold": 0.2}, {"fpr": 0.01, "threshold": 0.5}],
                "min_cohesion": MIXED,
                "fitted_on": "a test",
            }
        )
    )


def crops(person: int, n: int, *, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    """Unit embeddings (n, dim) around one direction of this person's own."""
    centre = np.random.default_rng(1000 + person).normal(size=DIM)
    centre /= np.linalg.norm(centre)
    x = centre + spread * np.random.default_rng(seed).normal(size=(n, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_cohesion_is_the_mean_cosine_of_each_to_the_others(scorer: Scorer) -> None:
    x = crops(0, 5)
    c = x - MEAN
    c /= np.linalg.norm(c, axis=1, keepdims=True)
    expected = []
    for i in range(5):
        rest = np.delete(c, i, axis=0).mean(axis=0)
        expected.append(c[i] @ rest / np.linalg.norm(rest))
    assert cohesion(x, scorer) == pytest.approx(np.mean(expected), abs=1e-5)


def test_cohesion_counts_the_other_recordings(scorer: Scorer) -> None:
    x = crops(0, 6)
    together = cohesion(x, scorer)
    first = cohesion(x[:3], scorer, centred_sum(x[3:], scorer))
    second = cohesion(x[3:], scorer, centred_sum(x[:3], scorer))
    assert first is not None
    assert second is not None
    assert (first + second) / 2 == pytest.approx(together, abs=1e-5)


def test_a_lone_crop_has_no_cohesion(scorer: Scorer) -> None:
    assert cohesion(crops(0, 1), scorer) is None
    assert cohesion(crops(0, 1), scorer, centred_sum(crops(0, 2, seed=1), scorer)) is not None


def test_stored_recordings_stand_in_for_their_crops(scorer: Scorer) -> None:
    others = crops(0, 8, seed=1)
    stored = stored_sum(Embedding(others.mean(axis=0), 8, None), scorer)
    exact = cohesion(crops(0, 4), scorer, centred_sum(others, scorer))
    assert cohesion(crops(0, 4), scorer, stored) == pytest.approx(exact, abs=0.02)


def test_two_voices_cohere_less_than_one(scorer: Scorer) -> None:
    one_voice = cohesion(crops(0, 10), scorer)
    two_voices = cohesion(np.concatenate([crops(0, 5), crops(1, 5)]), scorer)
    assert one_voice is not None
    assert two_voices is not None
    assert two_voices < one_voice


def assessed(
    scorer: Scorer,
    *cohesions: float | None,
    snr_db: float | None = 30.0,
    speech_s: float = 20.0,
    model: str = MODEL,
) -> Quality:
    now = datetime.now(UTC)
    utterances = tuple(
        Utterance(
            i, i + 1, speech_s, snr_db, False, now, {model: Embedding(np.ones(DIM, np.float32), 3, value)}
        )
        for i, value in enumerate(cohesions)
    )
    return assess(Speaker("ada", None, {}, now, utterances), MODEL, scorer)


def test_good_enrolment(scorer: Scorer) -> None:
    quality = assessed(scorer, 0.9, 0.8)
    assert (quality.cohesion, quality.snr_db, quality.ok) == (0.8, 30.0, True)
    assert quality.advice == "Good as it is."


@pytest.mark.parametrize(
    ("quality", "ok", "words"),
    [
        ({"cohesions": [0.9, MIXED - 0.01]}, False, "one voice"),
        ({"cohesions": [0.9], "snr_db": 3.0}, False, "background is loud"),
        ({"cohesions": [0.9], "speech_s": 6.0}, True, "More speech"),
        ({"cohesions": [0.9], "model": "m/0"}, False, "POST /speakers/ada/audio"),
    ],
)
def test_advice_names_the_problem(scorer: Scorer, quality: dict[str, object], ok: bool, words: str) -> None:
    cohesions = quality.pop("cohesions")
    answer = assessed(scorer, *cohesions, **quality)  # type: ignore[misc, arg-type]
    assert answer.ok is ok
    assert words in answer.advice


def test_every_problem_is_named(scorer: Scorer) -> None:
    quality = assessed(scorer, 0.1, snr_db=0.0, speech_s=5.5)
    assert not quality.ok
    for words in ("one voice", "background is loud", "More speech"):
        assert words in quality.advice


def test_what_is_unknown_is_no_problem(scorer: Scorer) -> None:
    quality = assessed(scorer, None, snr_db=None)
    assert (quality.cohesion, quality.snr_db, quality.ok) == (None, None, True)
