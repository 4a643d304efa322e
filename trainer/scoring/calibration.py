"""Scores of pairs of voices, and the fit of a bundle's `scoring`; docs/architecture.md has the formulas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float32
from bundle.scoring import centre
from bundle.vectors import unit

ROWS_AT_ONCE = 1024  # of the score matrix
PAIRS_TO_CALIBRATE = 1_000_000  # of each kind: two parameters need no more
MAX_FPR = 0.2
MIN_IMPOSTORS = 10  # accepted impostor pairs behind the smallest rate of the table
POINTS_PER_DECADE = 8


class ScoringError(ValueError):
    """The utterances given cannot be made into the pairs a fit needs."""


def pair_scores(
    centred: Float32, speakers: Sequence[str], groups: Sequence[str] | None = None
) -> tuple[Float32, Float32]:
    """Cosines of every pair of utterances: those of one speaker, and those of two.

    Args:
        centred: (utterances, dim) of unit length.
        speakers: who speaks in each utterance; one whose speaker is unknown ("") is in no pair.
        groups: only pairs within a group (a corpus, say) count.

    Returns:
        Two float32 arrays, target and nontarget scores.
    """
    known = np.flatnonzero(np.asarray(speakers) != "")
    vectors = centred[known]
    _, speaker_ids = np.unique(np.asarray(speakers)[known], return_inverse=True)
    everything = [""] * len(speakers)
    _, group_ids = np.unique(np.asarray(groups or everything)[known], return_inverse=True)
    target, nontarget = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for rows, scores, upper in _blocks(vectors):
        pairs = upper & (group_ids[rows, None] == group_ids[None, rows.start :])
        same = speaker_ids[rows, None] == speaker_ids[None, rows.start :]
        target.append(scores[pairs & same])
        nontarget.append(scores[pairs & ~same])
    return np.concatenate(target), np.concatenate(nontarget)


def fit_scoring(
    embeddings: ArrayLike,
    speakers: Sequence[str],
    seed: int = 0,
    groups: Sequence[str] | None = None,
    mean: ArrayLike | None = None,
) -> dict[str, Any]:
    """Fits mean, calibration and false-accept table on utterances of the train split.

    Args:
        embeddings: (utterances, dim), unit utterance embeddings.
        speakers: who speaks in each; utterances of an unknown speaker ("") count for the mean only.
        seed: of the draw of calibration pairs where there are more than a million of a kind.
        groups: which corpus each is from. Given, impostor pairs are drawn within a corpus only: two corpora
            are told apart by their microphones, and such easy pairs would make thresholds look safer than
            they are.
        mean: (dim,) that is taken out, in place of theirs.

    Returns:
        `scoring` of bundle.json, without `fitted_on`, which only the caller knows.

    Raises:
        ScoringError: no pair of one speaker, or fewer than 50 pairs of two speakers.
    """
    vectors = np.asarray(embeddings, dtype=np.float32)
    mean = vectors.mean(axis=0, dtype=np.float64) if mean is None else np.asarray(mean, np.float64)
    target, nontarget = pair_scores(centre(vectors, mean), speakers, groups)
    if target.size == 0 or nontarget.size < MIN_IMPOSTORS / MAX_FPR:
        raise ScoringError(
            f"Found {target.size} pairs of one speaker and {nontarget.size} of two; a fit needs at least "
            f"1 and {MIN_IMPOSTORS / MAX_FPR:.0f}. Give labelled speech with several utterances a speaker."
        )
    return {
        "score_type": "centred_cosine",
        "mean": [float(f"{value:.8g}") for value in mean],
        "calibration": fit_calibration(target, nontarget, np.random.default_rng(seed)),
        "false_accept": fit_false_accept(nontarget),
    }


def fit_min_cohesion(
    crops: ArrayLike, recordings: ArrayLike, mean: ArrayLike, *, percentile: float = 2.0, least_crops: int = 5
) -> float:
    """The cohesion that all but `percentile` per cent of one-voice recordings reach. Needs no labels.

    Cohesion of a recording: mean cosine of each centred crop to the mean of its other crops. An enrolment
    below the bar may hold more than one voice.

    Args:
        crops: (crops, dim) unit embeddings.
        recordings: (crops,) an index per recording.
        mean: (dim,) of `scoring`.
        least_crops: shorter recordings are left out; five crops are the service's shortest enrolment.

    Returns:
        The bar in [-1, 1]; -1, which nothing falls below, where no recording is long enough.
    """
    centred = centre(crops, mean)
    _, index = np.unique(np.asarray(recordings), return_inverse=True)
    counts = np.bincount(index)
    totals = np.zeros((counts.size, centred.shape[1]), np.float32)
    np.add.at(totals, index, centred)
    agreement = (centred * unit(totals[index] - centred)).sum(axis=1)  # (crops,)
    cohesion = np.bincount(index, agreement) / counts  # (recordings,)
    long_enough = cohesion[counts >= least_crops]
    return float(np.percentile(long_enough, percentile)) if long_enough.size else -1.0


def _blocks(vectors: Float32) -> Iterator[tuple[slice, Float32, NDArray[np.bool_]]]:
    """The strict upper triangle of the score matrix, `ROWS_AT_ONCE` rows at a time."""
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, len(vectors)))
        scores = vectors[rows] @ vectors[start:].T  # (rows, utterances from `start` on)
        yield rows, scores, np.triu(np.ones(scores.shape, dtype=bool), k=1)


def fit_calibration(target: Float32, nontarget: Float32, rng: np.random.Generator) -> dict[str, float]:
    """Logistic regression at equal prior: `slope * score + intercept` is the log likelihood ratio.

    Raises:
        ScoringError: pairs of one voice score no higher than pairs of two.
    """
    kinds = [
        scores if scores.size <= PAIRS_TO_CALIBRATE else rng.choice(scores, PAIRS_TO_CALIBRATE, replace=False)
        for scores in (nontarget, target)
    ]
    labels = np.repeat([0, 1], [scores.size for scores in kinds])
    from sklearn.linear_model import LogisticRegression  # a second to import: only when a fit is made

    # Balanced weights make the prior equal, so the logit is the log likelihood ratio. The weak penalty only
    # matters where the two kinds do not overlap at all and the slope would grow without end.
    fit = LogisticRegression(C=1e4, class_weight="balanced", solver="newton-cholesky")
    fit.fit(np.concatenate(kinds).astype(np.float64)[:, None], labels)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if slope <= 0:
        raise ScoringError(
            "Pairs of one voice score no higher than pairs of two, so no threshold would mean anything. "
            "Train the encoder for longer, or on more recordings."
        )
    return {"slope": slope, "intercept": intercept}


def fit_false_accept(nontarget: Float32) -> list[dict[str, float]]:
    """Rates from 0.2 down to where ten impostor pairs are left, evenly spaced in log(rate), largest first."""
    lowest = MIN_IMPOSTORS / nontarget.size
    points = max(2, 1 + round(POINTS_PER_DECADE * np.log10(MAX_FPR / lowest)))
    descending = np.sort(nontarget)[::-1].astype(np.float64)
    table = []
    for rate in np.geomspace(MAX_FPR, lowest, points):
        accepted = round(rate * nontarget.size)
        # Halfway between the last impostor let in and the first kept out.
        threshold = (descending[accepted - 1] + descending[accepted]) / 2
        table.append({"fpr": accepted / nontarget.size, "threshold": float(threshold)})
    return table
