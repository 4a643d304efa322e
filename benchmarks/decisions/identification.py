"""Open-set identification: half of the speakers enrolled, the other half strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.figures import TARGET_FPR
from benchmarks.decisions.model import ScoredModel
from bundle.arrays import Float32, Float64
from trainer.metrics import detection_rate

ENROL_S = 10.0
DRAWS = 20  # of which half is enrolled


@dataclass(frozen=True)
class Identification:
    """In per cent. `served` decides at the threshold that the service takes for so many voices at 1 %."""

    detected: float  # at 1 % false identification, measured
    served_false: float  # strangers given a name
    served_detected: float  # enrolled speakers given their own
    enrolled: int  # voices
    probes: int  # of enrolled speakers, over all draws
    strangers: int


HEADER = (
    "enrolled",
    "named rightly at 1 % strangers named, %",
    "strangers named by the service, %",
    "named rightly there, %",
)


def identification(
    model: ScoredModel, sums: Float32, speakers: Sequence[str], seconds: Sequence[float], *, seed: int = 0
) -> Identification:
    """Enrols each speaker's first recordings until they hold 10 s; the others are probes.

    Probes of all draws are pooled, or a corpus of ten speakers would not have a hundred strangers' probes.

    Args:
        sums: (recordings, dim) of crop embeddings, a speaker's in the order they are enrolled.
        seconds: how long each recording is.
    """
    names, owner = np.unique(speakers, return_inverse=True)
    enrols = enrolling(owner, np.asarray(seconds))
    prints = np.zeros((len(names), sums.shape[1]), np.float32)
    np.add.at(prints, owner[enrols], sums[enrols])
    scores = (
        model.voices(sums[~enrols], names[owner[~enrols]]).vectors @ model.voices(prints, names).vectors.T
    )  # (probes, voices)
    owner = owner[~enrols]
    rng = np.random.default_rng(seed)
    half = len(names) // 2
    top, correct, strangers = [], [], []
    for _ in range(DRAWS):
        enrolled = np.sort(rng.permutation(len(names))[:half])
        best = scores[:, enrolled].max(axis=1)
        known = np.isin(owner, enrolled)
        top.append(best[known])
        correct.append(enrolled[scores[:, enrolled].argmax(axis=1)][known] == owner[known])
        strangers.append(best[~known])
    tops, correct_tops, others = map(np.concatenate, (top, correct, strangers))
    threshold = model.scorer.threshold(TARGET_FPR, seconds=None, voices=half)
    return Identification(
        detected=100 * detection_rate(tops, correct_tops, others, false_identification=TARGET_FPR),
        served_false=100 * float(np.mean(others >= threshold)),
        served_detected=100 * float(np.mean((tops >= threshold) & correct_tops)),
        enrolled=half,
        probes=tops.size,
        strangers=others.size,
    )


def cells(models: Sequence[Identification]) -> list[str]:
    """One cell a column of `HEADER`, the models' figures in their order."""
    rates = (
        " / ".join(f"{getattr(figures, name):.1f}" for figures in models)
        for name in ("detected", "served_false", "served_detected")
    )
    return [f"{models[0].enrolled} voices", *rates]


def enrolling(owner: NDArray[np.intp], seconds: Float64) -> NDArray[np.bool_]:
    """Which recordings are among their speaker's first 10 s."""
    before = np.zeros(len(owner))
    for speaker in np.unique(owner):
        of_speaker = owner == speaker
        before[of_speaker] = np.cumsum(seconds[of_speaker]) - seconds[of_speaker]
    return before < ENROL_S
