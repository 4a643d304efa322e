"""Adapts a voice bundle to unlabelled recordings: a linear map of its embeddings, and new scoring. No torch.

1. What varies inside a recording is not its voice, and counts less: within-class covariance normalisation
   (Hatch et al. 2006) of the embeddings, with recordings as classes and the parent as prior. Recordings that
   surely are of one voice are classes too.
2. The mean of the scoring moves towards the job's.
3. Thresholds and calibrations move with the scores of pairs of recordings, by their quantiles.
4. Where another channel drowns the voices, its direction is taken out first.

A job of few voices says little about strangers. So 2 and 3 are shrunk by the number of clusters of its
recordings, and a job of one voice moves neither. docs/model-updates.md has how the numbers were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.clusters import Linkage, average_linkage
from bundle.scoring import BySeconds, Calibration, Fitted, OperatingPoint, Scorer, Scoring, centre
from bundle.vectors import unit

PARENT_CROPS = 300.0  # crops that vary alike in all directions stand for the parent's whitening
PARENT_CLUSTERS = 4.0  # the parent's mean and thresholds weigh as much as so many voices of the job
ONE_VOICE_FPR = 0.001  # recordings that score above this rate's threshold surely are of one voice
MATCHED_FPR = 0.01  # at whose threshold the share of accepted pairs stays what it was
MOST_PAIRS = 0.5  # of recordings look like one voice where the parent's mean does not fit
SPREAD_OF_VOICES = 0.25  # of recordings, beside that inside them: 0.06 was one voice's, 0.37 thirty voices'
CHANNEL_LEFT = 0.02  # of the direction that another channel adds to every recording
LEAST_RECORDINGS = 10  # of two crops, to tell that
OVERLAP_WEIGHT = 2 / 3  # of a crop that overlaps, in the whitening
LEAST_PAIRS = 10  # above the score that is matched
MOST_LINKED = 1000  # recordings in one tree: the others only count for the whitening


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What becomes of a bundle: its embeddings x turn into `unit(x @ matrix)`."""

    matrix: Float32  # (dim, dim); keeps the length of an average embedding
    scoring: Scoring
    voices: int  # clusters of the recordings, about as many as there are voices

    def __call__(self, embeddings: Float32) -> Float32:
        """Unit embeddings (..., dim) → adapted ones."""
        return unit(embeddings @ self.matrix)


def fit_adaptation(
    scoring: Scoring,
    before: Float32,
    recordings: NDArray[np.intp],
    *,
    after: Float32 | None = None,
    overlap: int = 1,
) -> Adaptation:
    """Fits on every crop of a job. Without crops nothing changes.

    Args:
        scoring: the parent's.
        before: (crops, dim) unit embeddings under the parent.
        recordings: (crops,) which recording each crop is of; one recording holds one voice.
        after: (crops, dim) the same crops under the network that is adapted, where that is not the parent's.
        overlap: how many crops start within the length of one.
    """
    dim = before.shape[1]
    if not len(before):
        return Adaptation(np.eye(dim, dtype=np.float32), scoring, 0)
    crops = before if after is None else after
    names, index = np.unique(recordings, return_inverse=True)
    linked = np.unique(np.linspace(0, len(names) - 1, min(MOST_LINKED, len(names))).round().astype(int))
    scorer = Scorer(scoring)
    old = _means(before, index)[linked]  # (linked, dim)
    elsewhere = _is_elsewhere(scorer, old, _spread(before, index, overlap))
    tree = _linkage(scorer, old, elsewhere)
    clusters = tree.cut(_even_score(scorer))
    one_voice = tree.cut(scorer.threshold(ONE_VOICE_FPR, seconds=None))
    voices = int(clusters.max()) + 1

    channel = _without(old.mean(axis=0) - scorer.mean) if elsewhere else np.eye(dim, dtype=np.float32)
    plain = unit(crops @ channel)
    crop_weight = 1.0 if overlap == 1 else OVERLAP_WEIGHT
    matrix = channel @ _whitening(plain, index, crop_weight, _means(plain, index)[linked], one_voice)
    matrix /= np.linalg.norm(crops @ matrix, axis=1).mean()
    new = _means(unit(crops @ matrix), index)[linked]
    weight = (voices - 1) / (voices - 1 + PARENT_CLUSTERS)
    moved = scorer.mean + (crops.mean(axis=0) - before.mean(axis=0))  # with the network
    mean = (1 - weight) * (moved @ matrix) + weight * _balanced(new, clusters)
    if elsewhere:
        pairs = _pairs(centre(old, old.mean(axis=0)))
    else:
        # Half-way between thresholds that held on this audio, and thresholds that hold once it is centred.
        centred = (1 - weight) * scorer.mean + weight * _balanced(old, clusters)
        pairs = np.asarray((_pairs(centre(old, centred)) + _pairs(scorer.centred(old))) / 2, np.float32)
    threshold = scorer.threshold(MATCHED_FPR, seconds=None)
    slope, offset = _score_map(pairs, _pairs(centre(new, mean)), threshold)
    scores = _ScoreMap(1 + weight * (slope - 1), weight * offset)
    return Adaptation(matrix, scores.scoring(scoring, mean, matrix), voices)


def voice_clusters(
    scorer: Scorer, crops: Float32, recordings: NDArray[np.intp], overlap: int = 1
) -> NDArray[np.intp]:
    """Which voice each recording seems to be of, counted from 0: (recordings,). Arguments as for the fit."""
    index = np.unique(recordings, return_inverse=True)[1]
    means = _means(crops, index)
    elsewhere = _is_elsewhere(scorer, means, _spread(crops, index, overlap))
    return _linkage(scorer, means, elsewhere).cut(_even_score(scorer))


def _is_elsewhere(scorer: Scorer, recordings: Float32, spread: float) -> bool:
    """Whether what all recordings share is louder to the parent than their voices: another channel, say.

    Then most pairs of recordings look like one voice, although the recordings are as far apart as voices.
    """
    pairs = _pairs(scorer.centred(recordings))
    alike = pairs.size > 0 and float(np.mean(pairs >= _even_score(scorer))) > MOST_PAIRS
    return alike and spread > SPREAD_OF_VOICES


def _linkage(scorer: Scorer, recordings: Float32, elsewhere: bool) -> Linkage:
    return average_linkage(
        centre(recordings, recordings.mean(axis=0)) if elsewhere else scorer.centred(recordings)
    )


def _even_score(scorer: Scorer) -> float:
    """Where one voice and two are equally likely."""
    calibration = scorer.calibration(None)
    return -calibration.intercept / calibration.slope


@dataclass(frozen=True)
class _ScoreMap:
    """A score of the parent → the score that means as much after the adaptation."""

    slope: float
    offset: float

    def __call__(self, score: float) -> float:
        return self.slope * score + self.offset

    def scoring(self, parent: Scoring, mean: Float32, matrix: Float32) -> Scoring:
        narrow = parent.narrow and parent.narrow.model_copy(
            update=self._fitted(parent.narrow) | {"shift": _numbers(np.asarray(parent.narrow.shift) @ matrix)}
        )
        return parent.model_copy(
            update=self._fitted(parent)
            | {
                "mean": _numbers(mean),
                "min_cohesion": max(self(parent.min_cohesion), -1.0),
                "narrow": narrow,
            }
        )

    def _fitted(self, parent: Fitted) -> dict[str, object]:
        return {
            "calibration": self._calibration(parent.calibration),
            "false_accept": self._table(parent.false_accept),
            "by_seconds": tuple(
                BySeconds(
                    seconds=entry.seconds,
                    calibration=self._calibration(entry.calibration),
                    false_accept=self._table(entry.false_accept),
                )
                for entry in parent.by_seconds
            ),
        }

    def _calibration(self, parent: Calibration) -> Calibration:
        slope = parent.slope / self.slope
        return Calibration(slope=slope, intercept=parent.intercept - slope * self.offset)

    def _table(self, parent: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        return tuple(OperatingPoint(fpr=point.fpr, threshold=self(point.threshold)) for point in parent)


def _numbers(vector: Float32) -> tuple[float, ...]:
    """(dim,) as a manifest holds it."""
    return tuple(float(f"{value:.8g}") for value in vector)


def _whitening(
    crops: Float32,
    index: NDArray[np.intp],
    crop_weight: float,
    recordings: Float32,
    one_voice: NDArray[np.intp],
) -> Float32:
    """The inverse square root of what varies inside a voice, (dim, dim)."""
    dim = crops.shape[1]
    inside, freedom = _scatter(crops, index)
    across, more = _scatter(recordings, one_voice)
    scatter, freedom = crop_weight * inside + across, crop_weight * freedom + more
    trace = float(np.trace(scatter))
    if trace <= 0:
        return np.eye(dim, dtype=np.float32)
    blend = (PARENT_CROPS * np.eye(dim) + freedom * dim / trace * scatter) / (PARENT_CROPS + freedom)
    values, axes = np.linalg.eigh(blend)
    matrix = (axes * values**-0.5) @ axes.T
    return np.asarray(matrix, np.float32)


def _without(direction: Float32) -> Float32:
    """A matrix (dim, dim) that leaves little of one direction: nuisance attribute projection with an inverse.

    Source: Solomonoff et al. 2005, "Advances in channel compensation for SVM speaker recognition".
    """
    axis = unit(direction)
    return np.asarray(np.eye(len(axis)) - (1 - CHANNEL_LEFT) * np.outer(axis, axis), np.float32)


def _scatter(vectors: Float32, classes: NDArray[np.intp]) -> tuple[Float64, float]:
    """Sum of outer products around the mean of each class (dim, dim), and its degrees of freedom."""
    x = vectors.astype(np.float64)
    residual = x - _sums(x, classes)[classes] / np.bincount(classes)[classes, None]
    return residual.T @ residual, float(len(x) - (classes.max() + 1))


def _spread(crops: Float32, index: NDArray[np.intp], overlap: int) -> float:
    """The variance of recordings beside that inside them.

    What the first and the last crop of a recording have in common is the recording's; these two share no
    sample. 0 where fewer than `LEAST_RECORDINGS` have two such crops.
    """
    counts = np.bincount(index)
    ends = np.cumsum(counts)
    enough = counts > overlap
    if enough.sum() < LEAST_RECORDINGS:
        return 0.0
    in_order = crops[np.argsort(index, kind="stable")].astype(np.float64)
    first, last = in_order[(ends - counts)[enough]], in_order[ends[enough] - 1]
    first, last = first - first.mean(axis=0), last - last.mean(axis=0)
    between = float((first * last).sum())
    inside = float((first**2 + last**2).sum()) / 2 - between
    return between / max(inside, 1e-12)


def _balanced(recordings: Float32, clusters: NDArray[np.intp]) -> Float32:
    """The mean of the clusters' means (dim,): who is heard more often counts no more."""
    sums = _sums(recordings.astype(np.float64), clusters)
    means: Float32 = (sums / np.bincount(clusters)[:, None]).mean(axis=0).astype(np.float32)
    return means


def _means(crops: Float32, index: NDArray[np.intp]) -> Float32:
    """Unit embeddings of the recordings (recordings, dim)."""
    return unit(_sums(crops.astype(np.float64), index))


def _sums(vectors: Float64, classes: NDArray[np.intp]) -> Float64:
    sums = np.zeros((int(classes.max()) + 1, vectors.shape[1]))
    np.add.at(sums, classes, vectors)
    return sums


def _pairs(centred: Float32) -> Float32:
    """Scores of all pairs of recordings."""
    scores: Float32 = (centred @ centred.T)[np.triu_indices(len(centred), k=1)]
    return scores


def _score_map(before: Float32, after: Float32, threshold: float) -> tuple[float, float]:
    """Slope and offset of the line through two quantiles of the pairs: the median, and the threshold's.

    Where fewer than `LEAST_PAIRS` are above the threshold, it goes through the score that so many are above.
    """
    if before.size < 2 * LEAST_PAIRS:
        return 1.0, 0.0
    rank = min(float(np.mean(before < threshold)), 1 - LEAST_PAIRS / before.size)
    if rank <= 0.5:  # most pairs are of one voice: they say nothing about strangers
        return 1.0, 0.0
    (low, high), (new_low, new_high) = (np.quantile(scores, (0.5, rank)) for scores in (before, after))
    if high <= low or new_high <= new_low:
        return 1.0, 0.0
    slope = float((new_high - new_low) / (high - low))
    return slope, float(new_high - slope * high)
