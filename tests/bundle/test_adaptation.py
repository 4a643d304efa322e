"""Clusters against scipy, and an adaptation on made voices whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.adaptation import fit_adaptation
from bundle.clusters import average_linkage
from bundle.scoring import BySeconds, Calibration, Narrow, OperatingPoint, Scorer, Scoring
from bundle.vectors import unit

DIM, CROPS = 16, 6
TABLE = tuple(OperatingPoint(fpr=f, threshold=t) for f, t in ((0.2, 0.3), (0.01, 0.6), (0.001, 0.85)))
SCORING = Scoring(
    score_type="centred_cosine",
    mean=(0.0,) * DIM,
    calibration=Calibration(slope=10, intercept=-6),
    false_accept=TABLE,
    by_seconds=(BySeconds(seconds=1, calibration=Calibration(slope=8, intercept=-4), false_accept=TABLE),),
    fitted_on="made voices",
)


def job(speakers: int, recordings: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops (n, dim), their recordings, their speakers: content moves one axis more than voices do."""
    rng = np.random.default_rng(seed)
    voice = np.repeat(rng.normal(size=(speakers, DIM)), recordings * CROPS, axis=0)
    content = rng.normal(size=voice.shape) * ([3.0] + [0.3] * (DIM - 1))
    of = np.repeat(np.arange(speakers * recordings), CROPS)
    return unit((voice + content + 0.5).astype(np.float32)), of, of // recordings


def test_clusters_are_those_of_scipy() -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    vectors = unit(np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))
    tree = hierarchy.linkage(vectors.astype(np.float64), "average", metric="cosine")
    ours = average_linkage(vectors)
    for similarity in (0.9, 0.6, 0.3, 0.0, -1.0):
        labels, theirs = ours.cut(similarity), hierarchy.fcluster(tree, 1 - similarity, "distance")
        assert np.array_equal(labels[:, None] == labels, theirs[:, None] == theirs)


def test_without_audio_nothing_changes() -> None:
    adapted = fit_adaptation(SCORING, np.zeros((0, DIM), np.float32), np.zeros(0, np.intp))
    assert adapted.scoring == SCORING
    vectors, _, _ = job(2)
    np.testing.assert_allclose(adapted(vectors), vectors, atol=1e-6)


def test_what_varies_inside_recordings_counts_less() -> None:
    vectors, of, speakers = job(20)
    adapted = fit_adaptation(SCORING, vectors, of)

    def ratio(x: np.ndarray) -> float:
        means = np.stack([x[speakers == s].mean(axis=0) for s in range(20)])
        return float(((x - means[speakers]) ** 2).mean() / ((means - means.mean(axis=0)) ** 2).mean())

    assert ratio(adapted(vectors)) < 0.8 * ratio(vectors)
    assert np.linalg.norm(vectors @ adapted.matrix, axis=1).mean() == pytest.approx(1, abs=1e-5)


def test_thresholds_tables_and_calibrations_move_together() -> None:
    vectors, of, _ = job(20)
    new = fit_adaptation(SCORING, vectors, of).scoring
    (low, middle, high), (by_low, by_middle, _) = (
        [point.threshold for point in table] for table in (new.false_accept, new.by_seconds[0].false_accept)
    )
    assert (by_low, by_middle) == (low, middle)
    assert (high - middle) / (middle - low) == pytest.approx((0.85 - 0.6) / (0.6 - 0.3))  # one line maps all
    before = SCORING.calibration.slope * 0.6 + SCORING.calibration.intercept
    assert new.calibration.slope * middle + new.calibration.intercept == pytest.approx(before)


def test_what_a_narrow_line_adds_moves_with_the_embeddings() -> None:
    vectors, of, _ = job(20)
    line = np.linspace(0.0, 0.05, DIM).astype(np.float32)
    narrow = Narrow(
        shift=tuple(line.tolist()), calibration=SCORING.calibration, false_accept=SCORING.false_accept
    )
    adapted = fit_adaptation(SCORING.model_copy(update={"narrow": narrow}), vectors, of)
    moved = Scorer(adapted.scoring).without_line(adapted(unit(vectors + line)))
    assert np.sum(moved * adapted(vectors), axis=1).mean() > 0.995
    assert adapted.scoring.narrow is not None
    assert adapted.scoring.narrow.false_accept == adapted.scoring.false_accept


@pytest.mark.parametrize("speakers", [1, 20])
def test_the_mean_and_thresholds_move_with_the_number_of_voices(speakers: int) -> None:
    vectors, of, _ = job(speakers)
    adapted = fit_adaptation(SCORING, vectors, of)
    if speakers == 1:
        assert adapted.voices == 1
        assert adapted.scoring.mean == SCORING.mean  # the parent's is 0, through whatever map
        assert adapted.scoring.false_accept == SCORING.false_accept
    else:
        assert adapted.voices > 10
        centred = Scorer(adapted.scoring).centred(adapted(vectors))
        assert np.linalg.norm(centred.mean(axis=0)) < 0.6 * np.linalg.norm(vectors.mean(axis=0))


@pytest.mark.parametrize(("speakers", "strangers_pass"), [(1, True), (20, False)])
def test_another_channel_is_told_from_one_voice(speakers: int, strangers_pass: bool) -> None:
    """What all recordings share is far louder than the voices: the parent takes everybody for one voice."""
    vectors, of, _ = job(speakers, recordings=12)
    shifted = unit(vectors + 4 * np.eye(DIM, dtype=np.float32)[3])
    adapted = fit_adaptation(SCORING, shifted, of)
    strangers, recording, _ = job(10, seed=1)
    scorer = Scorer(adapted.scoring)
    centred = scorer.centred(adapted(unit(strangers + 4 * np.eye(DIM, dtype=np.float32)[3])))
    means = unit(np.stack([centred[recording == r].mean(axis=0) for r in range(recording.max() + 1)]))
    of_recording = np.arange(len(means)) // 6
    scores = (means @ means.T)[of_recording[:, None] != of_recording]
    assert (np.mean(scores >= scorer.threshold(0.01, seconds=None)) > 0.5) == strangers_pass
