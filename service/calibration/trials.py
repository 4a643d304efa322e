"""Labelled recordings compared with each other, as /verify would compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.scoring import Scorer
from bundle.vectors import unit


@dataclass(frozen=True, eq=False)
class Trials:
    """Scores of recordings against voices."""

    own: Float64  # (trials,) against the voice of the same speaker
    strangers: Float64  # (trials,) against the voices of all others


def run_trials(recordings: Sequence[Float32], speakers: Sequence[str], scorer: Scorer) -> Trials:
    """Each recording against a voice of its speaker's other recordings, and against all other voices.

    A speaker's only recording has no trial of its own.

    Args:
        recordings: unit crop embeddings (crops, dim) of each.
        speakers: who speaks in each.
    """
    names, owner = np.unique(np.asarray(speakers), return_inverse=True)
    sums = np.stack([crops.sum(axis=0) for crops in recordings])  # (recordings, dim)
    voices = np.zeros((len(names), sums.shape[1]), np.float32)
    np.add.at(voices, owner, sums)
    probes = scorer.centred(unit(sums))
    scores = np.clip(probes @ scorer.centred(unit(voices)).T, -1, 1)  # (recordings, voices)
    rest = scorer.centred(unit(voices[owner] - sums))  # without the recording itself
    repeated = np.bincount(owner)[owner] > 1  # (recordings,)
    owners = np.clip(np.sum(probes * rest, axis=1), -1, 1)[repeated]
    others = scores[owner[:, None] != np.arange(len(names))]
    return Trials(owners.astype(np.float64), others.astype(np.float64))
