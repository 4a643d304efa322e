"""Recordings from narrow lines, told from others and embedded as the service does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.model import ScoredModel, Voices, crop_sums
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from bundle.bandwidth import bandwidth_hz, is_narrow
from service.audio import SpeechDetector
from service.audio.level import levelled


@dataclass(frozen=True, eq=False)
class Arrived:
    """Recordings as a service gets them, and which of them are from narrow lines: (recordings,)."""

    recordings: Recordings
    narrow: NDArray[np.bool_]

    @classmethod
    def of(cls, recordings: Recordings, detector: SpeechDetector) -> Arrived:
        return cls(recordings, np.array([_narrow(samples, detector) for samples in recordings.samples], bool))

    @property
    def mostly_narrow(self) -> bool:
        return bool(self.narrow.mean() > 0.5)

    def voices(self, model: ScoredModel) -> Voices:
        """Their embeddings; crops from narrow lines are moved where the model knows how."""
        groups = [
            (np.flatnonzero(~self.narrow), model.encode),
            (np.flatnonzero(self.narrow), lambda crops: model.scorer.without_line(model.encode(crops))),
        ]
        sums: list[Float32] = []
        for index, encode in groups:
            if index.size:
                sums += crop_sums([encode], self.recordings.at(index).samples)
        order = np.argsort(np.concatenate([index for index, _ in groups]))
        return model.voices(np.concatenate(sums)[order], self.recordings.speakers)


def _narrow(samples: Float32, detector: SpeechDetector) -> bool:
    level = levelled(samples)
    return is_narrow(bandwidth_hz([region.of(level) for region in detector.find(level)]))
