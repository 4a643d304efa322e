from __future__ import annotations

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.scoring import centre
from bundle.vectors import unit
from trainer.scoring import calibration as scoring
from trainer.scoring.calibration import ScoringError, fit_min_cohesion, fit_scoring, pair_scores


def voices(speakers: int, utterances: int, spread: float, seed: int = 0) -> tuple[Float32, list[str]]:
    """Unit utterance embeddings around a common offset, as real ones have."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(speakers, 32)), utterances, axis=0) + 2
    names = [f"s{i}" for i in range(speakers) for _ in range(utterances)]
    return unit((centres + spread * rng.normal(size=centres.shape)).astype(np.float32)), names


def test_pair_scores_are_those_of_every_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "ROWS_AT_ONCE", 3)  # several blocks, the last one short
    vectors, names = voices(4, 4, spread=0.5)
    names[5] = ""
    target, nontarget = pair_scores(vectors, names)
    expected: dict[bool, list[float]] = {True: [], False: []}
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            if names[i] and names[j]:
                expected[names[i] == names[j]].append(float(vectors[i] @ vectors[j]))
    np.testing.assert_allclose(np.sort(target), np.sort(expected[True]), atol=1e-6)
    np.testing.assert_allclose(np.sort(nontarget), np.sort(expected[False]), atol=1e-6)


def test_groups_keep_pairs_within_a_corpus() -> None:
    vectors, names = voices(4, 2, spread=0.5)
    target, nontarget = pair_scores(vectors, names, groups=["a"] * 4 + ["b"] * 4)
    assert (target.size, nontarget.size) == (4, 8)


def test_centre_gives_unit_vectors_around_the_mean() -> None:
    vectors, _ = voices(20, 3, spread=0.5)
    centred = centre(vectors, vectors.mean(axis=0))
    np.testing.assert_allclose(np.linalg.norm(centred, axis=1), 1, rtol=1e-5)
    assert np.linalg.norm(centred.mean(axis=0)) < 0.1 < np.linalg.norm(vectors.mean(axis=0))


def test_fit_gives_the_fields_of_the_contract() -> None:
    vectors, names = voices(60, 6, spread=1.5)
    fit = fit_scoring(vectors, names)
    assert set(fit) == {"score_type", "mean", "calibration", "false_accept"}
    assert fit["score_type"] == "centred_cosine"
    np.testing.assert_allclose(fit["mean"], vectors.mean(axis=0), rtol=1e-5, atol=1e-7)
    assert fit == fit_scoring(vectors, names)


def test_table_gives_the_rates_it_names() -> None:
    vectors, names = voices(60, 6, spread=1.5)
    fit = fit_scoring(vectors, names)
    _, nontarget = pair_scores(centre(vectors, fit["mean"]), names)
    rates = [row["fpr"] for row in fit["false_accept"]]
    thresholds = [row["threshold"] for row in fit["false_accept"]]
    assert rates[0] == pytest.approx(0.2, abs=1e-3)
    assert rates[-1] == pytest.approx(10 / nontarget.size)
    assert rates == sorted(rates, reverse=True)
    assert thresholds == sorted(thresholds)
    for rate, threshold in zip(rates, thresholds, strict=True):
        assert np.mean(nontarget >= threshold) == pytest.approx(rate, abs=2 / nontarget.size)


def test_calibrated_scores_are_log_likelihood_ratios() -> None:
    # Scores from two Gaussians of one variance: slope = d/σ² and intercept = -d²/2σ².
    rng = np.random.default_rng(0)
    fit = scoring.fit_calibration(
        rng.normal(0.5, 0.2, 400_000).astype(np.float32),
        rng.normal(0.0, 0.2, 1_500_000).astype(np.float32),
        rng,
    )
    assert fit["slope"] == pytest.approx(12.5, rel=0.02)
    assert fit["intercept"] == pytest.approx(-3.125, rel=0.02)


def test_an_encoder_that_tells_no_voices_apart_is_refused() -> None:
    scores = np.linspace(-1, 1, 200, dtype=np.float32)
    for target in (scores, scores - 0.5):  # alike, and the wrong way round
        with pytest.raises(ScoringError, match="no higher"):
            scoring.fit_calibration(target, scores, np.random.default_rng(0))


def test_separable_voices_still_give_finite_numbers() -> None:
    fit = fit_scoring(*voices(12, 4, spread=0.01))
    assert np.isfinite([fit["calibration"]["slope"], fit["calibration"]["intercept"]]).all()
    assert fit["calibration"]["slope"] > 0


def test_unlabelled_utterances_count_for_the_mean_only() -> None:
    vectors, names = voices(12, 4, spread=0.5)
    more, _ = voices(5, 4, spread=0.5, seed=1)
    fit = fit_scoring(np.concatenate([vectors, more]), [*names, *[""] * 20])
    np.testing.assert_allclose(
        fit["mean"], np.concatenate([vectors, more]).mean(axis=0), rtol=1e-5, atol=1e-7
    )


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ScoringError, match="several utterances a speaker"):
        fit_scoring(*voices(40, 1, spread=0.5))


def test_min_cohesion_is_what_one_voice_reaches_and_two_do_not() -> None:
    vectors, names = voices(40, 10, spread=0.3)
    recordings = np.unique(names, return_inverse=True)[1]
    bar = fit_min_cohesion(vectors, recordings, vectors.mean(axis=0), percentile=10)
    centred = centre(vectors, vectors.mean(axis=0)).reshape(40, 10, -1)

    def cohesion(crops: Float32) -> float:
        rest = [np.delete(crops, i, axis=0).mean(axis=0) for i in range(len(crops))]
        return float(np.mean([crop @ r / np.linalg.norm(r) for crop, r in zip(crops, rest, strict=True)]))

    assert sum(cohesion(crops) < bar for crops in centred) == 4
    mixed = [np.concatenate([centred[i, :5], centred[i + 1, 5:]]) for i in range(39)]
    assert all(cohesion(crops) < bar for crops in mixed)


def test_short_recordings_set_no_bar() -> None:
    assert fit_min_cohesion(np.eye(4), np.zeros(4, int), np.full(4, 0.1)) == -1
