"""Two voices in one recording, as unit vectors with the noise of real crops."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from service.speakers import second_voice

DIM = 64
SCORING = {
    "score_type": "centred_cosine",
    "mean": np.zeros(DIM).tolist(),
    "calibration": {"slope": 20.0, "intercept": -8.0},
    "false_accept": [{"fpr": 0.01, "threshold": 0.4}],
    "fitted_on": "nothing",
}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(Scoring.model_validate(SCORING))


def found(order: str, scorer: Scorer) -> tuple[float, float] | None:
    """What is found in crops of a second, one a letter; each letter is a voice."""
    rng = np.random.default_rng(7)
    voices = {letter: unit(rng.normal(size=DIM).astype(np.float32)) for letter in "AB"}
    noise = rng.normal(size=(len(order), DIM)) / np.sqrt(DIM)
    crops: Float32 = unit(np.stack([voices[letter] for letter in order]) + noise.astype(np.float32))
    return second_voice(crops, [(float(i), i + 1.0) for i in range(len(order))], scorer)


@pytest.mark.parametrize(
    ("order", "stretch"),
    [
        ("A" * 16, None),
        ("A" * 8 + "B" * 8, (8, 16)),
        ("A" * 5 + "B" * 11, (5, 16)),
        ("A" * 6 + "B" * 4 + "A" * 6, (6, 10)),
        ("AAAABBBBAAAABBBBB", (12, 17)),  # in turns: the longest of the second voice
        ("AAABBAABBAABBBAA", (11, 14)),
        ("A" * 100 + "B" * 100, (100, 200)),  # blocks of several crops
        ("AABB", None),  # too little of either to tell
    ],
)
def test_the_second_voice_is_found_where_it_speaks_longest(
    order: str, stretch: tuple[float, float] | None, scorer: Scorer
) -> None:
    assert found(order, scorer) == (None if stretch is None else pytest.approx(stretch, abs=1))
