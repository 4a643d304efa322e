from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bundle.scoring import Calibration, OperatingPoint, Scorer, Scoring
from bundle.vectors import unit
from trainer.finetuning.measures import Model, Recordings, compare, separation
from trainer.finetuning.report import Change, Measures, judge

SPEAKERS, RECORDINGS, CROPS, DIM = 4, 3, 5, 16
SCORER = Scorer(
    Scoring(
        score_type="centred_cosine",
        mean=(0.0,) * DIM,
        calibration=Calibration(slope=10, intercept=-7),
        false_accept=(OperatingPoint(fpr=0.1, threshold=0.5), OperatingPoint(fpr=0.001, threshold=0.9)),
        fitted_on="nothing",
    )
)


def job(spread: float, seed: int = 0) -> tuple[Recordings, Model]:
    """Crops of recordings of speakers, the last recording of each left out, and their embeddings."""
    rng = np.random.default_rng(seed)
    voice = np.repeat(rng.normal(size=(SPEAKERS, DIM)), RECORDINGS * CROPS, axis=0)
    recordings = Recordings(
        np.repeat(np.arange(SPEAKERS * RECORDINGS), CROPS),
        np.tile(np.arange(RECORDINGS) == RECORDINGS - 1, SPEAKERS),
        np.repeat([f"s{i}" for i in range(SPEAKERS)], RECORDINGS),
    )
    vectors = unit((voice + spread * rng.normal(size=voice.shape)).astype(np.float32))
    return recordings, Model(vectors, SCORER)


def clusters(recordings: Recordings) -> np.ndarray:
    return np.unique(recordings.speakers, return_inverse=True)[1]


def test_voices_that_are_apart_are_told_apart_and_noise_is_not() -> None:
    recordings, clear = job(spread=0.1)
    _, noise = job(spread=100)
    measures = compare(recordings, noise, clear)
    for change in (measures.identification, measures.f1):
        assert change is not None
        assert change.before < 0.6
        assert change.after == 1
    assert measures.eer is not None
    assert measures.eer.after == 0 < 0.2 < measures.eer.before
    assert measures.false_accepts is not None
    assert measures.stranger_pairs == 6 + 4 * 6  # two left out, and one left out with the others


def test_without_labels_only_the_separation_is_measured() -> None:
    recordings, clear = job(spread=0.1)
    unlabelled = replace(recordings, speakers=np.full(len(recordings.speakers), ""))
    measures = compare(unlabelled, clear, clear)
    assert measures.separation is not None
    assert (measures.identification, measures.f1, measures.eer, measures.false_accepts) == (None,) * 4
    one_voice = replace(clear, vectors=clear.vectors[:1].repeat(len(clear.vectors), axis=0))
    assert compare(unlabelled, one_voice, one_voice).separation is None


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    recordings, clear = job(spread=0.1)
    assert separation(recordings, clear, clusters(recordings)) == pytest.approx(1, abs=0.01)
    recordings, noise = job(spread=100)
    of, voice = recordings.recording, clusters(recordings)[recordings.recording]
    probes = np.flatnonzero(recordings.left_out[of])
    scores = noise.vectors[probes] @ noise.vectors.T
    target = scores[(of[probes][:, None] == of) & (probes[:, None] != np.arange(len(of)))]
    nontarget = scores[voice[probes][:, None] != voice]
    expected = np.mean(target[:, None] > nontarget[None])
    assert separation(recordings, noise, clusters(recordings)) == pytest.approx(expected)


def test_the_verdict_is_about_voices_and_says_why() -> None:
    worse, same, better = Change(0.9, 0.8), Change(0.9, 0.9), Change(0.8, 0.9)
    for f1, eer, separated, verdict, word in (
        (better, worse, worse, "better", "F1"),
        (worse, better, better, "not_better", "F1"),
        (same, worse, worse, "better", "equal error"),
        (None, None, better, "better", "recordings"),
        (same, same, same, "not_better", "no difference"),
        (None, None, None, "not_better", "unknown"),
    ):
        judged, reason = judge(Measures(f1=f1, eer=eer, separation=separated))
        assert judged == verdict
        assert word in reason
    assert "80.0 % to 90.0 %" in judge(Measures(separation=better))[1]


def test_a_version_that_lets_more_strangers_in_is_not_better() -> None:
    better = Change(0.8, 0.9)
    for after, verdict in ((0.012, "better"), (0.03, "not_better")):
        measures = Measures(f1=better, false_accepts=Change(0.004, after), stranger_pairs=1000)
        assert judge(measures)[0] == verdict
    already_high = Measures(f1=better, false_accepts=Change(0.87, 1.0), stranger_pairs=1000)
    assert judge(already_high)[0] == "not_better"
    few = Measures(f1=better, false_accepts=Change(0.0, 0.03), stranger_pairs=60)  # two pairs: chance
    assert judge(few)[0] == "better"
