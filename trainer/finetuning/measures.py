"""The measures of a fine-tuning report: parent and new version on recordings that were left out whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.adaptation import voice_clusters
from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.vectors import unit
from trainer.finetuning.report import TARGET_FPR, Change, Measures
from trainer.metrics.verification import eer

MOST_CROPS = 2048  # in the measures of single crops; more are thinned out evenly


@dataclass(frozen=True, eq=False)
class Recordings:
    """What is known of the crops that are measured."""

    recording: NDArray[np.intp]  # (crops,) ascending
    left_out: NDArray[np.bool_]  # (recordings,)
    speakers: NDArray[np.str_]  # (recordings,) "" where unknown

    def utterances(self, vectors: Float32) -> Float32:
        """(crops, dim) → unit embeddings (recordings, dim)."""
        sums = np.zeros((len(self.speakers), vectors.shape[1]))
        np.add.at(sums, self.recording, vectors)
        return unit(sums)


@dataclass(frozen=True, eq=False)
class Model:
    """One model on the crops of a job."""

    vectors: Float32  # (crops, dim) unit embeddings
    scorer: Scorer


def compare(recordings: Recordings, before: Model, after: Model) -> Measures:
    """The measures of the parent (before) and of the new version (after)."""
    clusters = voice_clusters(before.scorer, before.vectors, recordings.recording)
    named = [_named(recordings, model) for model in (before, after)]
    verified = [_verified(recordings, model) for model in (before, after)]
    return Measures(
        separation=_change(*(separation(recordings, model, clusters) for model in (before, after))),
        identification=_change(*(result and result[0] for result in named)),
        f1=_change(*(result and result[1] for result in named)),
        eer=_change(*(result and result[0] for result in verified)),
        false_accepts=_change(*(result and result[1] for result in verified)),
        stranger_pairs=verified[0][2] if verified[0] else 0,
    )


def separation(recordings: Recordings, model: Model, clusters: NDArray[np.intp]) -> float | None:
    """How often a crop scores higher with its own recording than with another voice's, in [0, 1].

    The area under the ROC curve over pairs of a crop of a left-out recording and any other crop. Recordings
    of one cluster may be of one voice: they are not compared.

    Returns None where there is no pair of either kind: one voice is heard, or no recording has two crops.
    """
    chosen = _thinned(np.arange(len(recordings.recording)))
    of, centred = recordings.recording[chosen], model.scorer.centred(model.vectors[chosen])
    probes = np.flatnonzero(recordings.left_out[of])
    scores = centred[probes] @ centred.T  # (probes, crops)
    same = of[probes][:, None] == of
    itself = probes[:, None] == np.arange(len(chosen))
    target = scores[same & ~itself]
    nontarget = np.sort(scores[clusters[of[probes]][:, None] != clusters[of]])
    if target.size == 0 or nontarget.size == 0:
        return None
    lower, equal = (np.searchsorted(nontarget, target, side) for side in ("left", "right"))
    return float((lower + equal).mean() / 2 / nontarget.size)


def _named(recordings: Recordings, model: Model) -> tuple[float, float] | None:
    """Accuracy and macro F1, in [0, 1]: crops left out get the name of the voice they score highest with.

    A voice is made of a speaker's recordings that were not left out. None with fewer than two.
    """
    of = recordings.speakers[recordings.recording]
    enrolled = (of != "") & ~recordings.left_out[recordings.recording]
    names = np.unique(of[enrolled])
    probes = _thinned(np.flatnonzero(recordings.left_out[recordings.recording] & np.isin(of, names)))
    if len(names) < 2 or not probes.size:
        return None
    prints = unit(np.stack([model.vectors[enrolled & (of == name)].sum(axis=0) for name in names]))
    scores = model.scorer.centred(model.vectors[probes]) @ model.scorer.centred(prints).T
    guesses, truth = names[scores.argmax(axis=1)], of[probes]
    f1 = [
        2 * np.sum((guesses == name) & (truth == name)) / (np.sum(guesses == name) + np.sum(truth == name))
        for name in np.unique(truth)
    ]
    return float(np.mean(guesses == truth)), float(np.mean(f1))


def _verified(recordings: Recordings, model: Model) -> tuple[float, float, int] | None:
    """Equal error rate, false accepts at `TARGET_FPR`'s threshold, and the number of pairs of two speakers.

    Pairs of a left-out recording and any other of a known speaker. None where a kind of pair is missing.
    """
    known = np.flatnonzero(recordings.speakers != "")
    speakers, left_out = recordings.speakers[known], recordings.left_out[known]
    centred = model.scorer.centred(recordings.utterances(model.vectors)[known])
    pairs = np.triu(left_out[:, None] | left_out, k=1)
    same = speakers[:, None] == speakers
    scores = centred @ centred.T
    target, nontarget = scores[pairs & same], scores[pairs & ~same]
    if not target.size or not nontarget.size:
        return None
    accepted = float(np.mean(nontarget >= model.scorer.threshold(TARGET_FPR, seconds=None)))
    return eer(target, nontarget), accepted, nontarget.size


def _thinned(indices: NDArray[np.intp]) -> NDArray[np.intp]:
    evenly = np.linspace(0, len(indices) - 1, min(MOST_CROPS, len(indices)))
    thinned: NDArray[np.intp] = indices[evenly.round().astype(np.intp)]
    return thinned


def _change(before: float | None, after: float | None) -> Change | None:
    return None if before is None or after is None else Change(before, after)
