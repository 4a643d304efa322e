"""Labelled recordings for the experiments on fine-tuning: some to adapt to, the rest to measure on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.bandwidth import bandwidth_hz, is_narrow
from bundle.scoring import Scorer
from bundle.vectors import unit
from trainer.audio.folders import Clip, contiguous_crops, fill_crop, read_audio
from trainer.metrics import eer, few_shot
from trainer.scoring.calibration import pair_scores

TARGET_FPR = 0.01
SHOT_S = 10


@dataclass(frozen=True)
class LabelledCrops:
    """Crops of recordings; a recording shorter than a crop is one crop, repeated to fill it."""

    crops: Float32  # (crops, 16384)
    recording: NDArray[np.intp]  # (crops,) index into `speakers`
    speakers: NDArray[np.str_]  # (recordings,)
    narrow: NDArray[np.bool_]  # (recordings,) which came over a narrow line

    @classmethod
    def read(cls, clips: Sequence[Clip]) -> LabelledCrops:
        recordings = [read_audio(clip.path) for clip in clips]
        parts = [_crops(samples) for samples in recordings]
        return cls(
            np.concatenate(parts),
            np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
            np.asarray([clip.speaker for clip in clips]),
            np.asarray([is_narrow(bandwidth_hz([samples])) for samples in recordings]),
        )

    def without_line(self, scorer: Scorer, embeddings: Float32) -> Float32:
        """(crops, dim), both ends: what the service makes of embeddings from narrow lines."""
        return np.where(self.narrow[self.recording, None], scorer.without_line(embeddings), embeddings)

    def utterances(self, embeddings: Float32) -> Float32:
        """(crops, dim) → unit embeddings (recordings, dim)."""
        sums = np.zeros((len(self.speakers), embeddings.shape[1]), np.float32)
        np.add.at(sums, self.recording, embeddings)
        return unit(sums)


@dataclass(frozen=True)
class TuningFigures:
    """One model on one set of voices, in percent."""

    f1: float | None  # macro, 10 s a speaker labelled; None where there is less audio
    eer: float
    false_accepts: float  # at the threshold the bundle gives for 1 %


def measure_embedded(scorer: Scorer, embeddings: Float32, voices: LabelledCrops) -> TuningFigures:
    """The figures of one model, judged as the service does. `embeddings`: (crops, dim) of `voices`."""
    embeddings = voices.without_line(scorer, embeddings)
    narrow = bool(voices.narrow.mean() > 0.5)
    centred = scorer.centred(voices.utterances(embeddings))
    target, nontarget = pair_scores(centred, list(voices.speakers))
    shots = few_shot(embeddings, voices.speakers[voices.recording], seconds=(SHOT_S,))
    return TuningFigures(
        shots[SHOT_S].f1 if SHOT_S in shots else None,
        100 * eer(target, nontarget),
        100 * float(np.mean(nontarget >= one_percent(scorer, narrow=narrow))),
    )


def one_percent(scorer: Scorer, *, narrow: bool = False) -> float:
    """The score that other voices reach at a rate of 1 %, as the service reads it from the bundle."""
    return scorer.threshold(TARGET_FPR, seconds=None, narrow=narrow)


def split_seconds(clips: Sequence[Clip], seconds: float) -> tuple[list[Clip], list[Clip]]:
    """Each speaker's first recordings, until they hold `seconds`, and the others."""
    first: list[Clip] = []
    others: list[Clip] = []
    total_s: dict[str, float] = {}
    for clip in clips:
        if total_s.get(clip.speaker, 0.0) < seconds:
            total_s[clip.speaker] = (
                total_s.get(clip.speaker, 0.0) + read_audio(clip.path).size / SAMPLE_RATE_HZ
            )
            first.append(clip)
        else:
            others.append(clip)
    return first, others


def _crops(samples: Float32) -> Float32:
    return contiguous_crops(samples) if samples.size >= CROP_SAMPLES else fill_crop(samples)[None]
