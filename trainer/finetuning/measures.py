"""The measures of a fine-tuning report: the parent and the new version on the audio of a job."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import centre
from bundle.vectors import unit
from trainer.audio.cache import ClipCache
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.finetuning.audio import JobAudio
from trainer.finetuning.report import Change, Measures
from trainer.scoring.embedding import utterance_crops
from trainer.training.batches import PairSampler

PAIRS = 64  # of held-out crops, for the losses
CROPS = 512  # of each part of the job at most; more are thinned out evenly
AT_ONCE = 64  # crops in one forward pass


@dataclass(frozen=True)
class JobCrops:
    """Crops of a job, and what is known of each."""

    waveforms: Float32  # (crops, 16384)
    held_out: NDArray[np.bool_]  # (crops,)
    recordings: NDArray[np.str_]  # (crops,) path of the file
    stretches: NDArray[np.intp]  # (crops,) crops of one stretch count as one voice
    speakers: NDArray[np.str_]  # (crops,) "" where unknown

    def pooled(self, objective: Objective) -> Float32:
        """Pooled voice frames (crops, dim), before whitening."""
        with torch.no_grad():
            batches = torch.split(torch.from_numpy(self.waveforms), AT_ONCE)
            return np.concatenate(
                [pool(objective.model.E_s(objective.frontend(batch))).numpy() for batch in batches]
            )


def job_crops(job: JobAudio, same_voice_seconds: float) -> JobCrops:
    """Contiguous crops of both parts of a job; `same_voice_seconds` as for `finetune`."""
    rows: list[tuple[Float32, bool, str, tuple[str, int], str]] = []
    for cache, held_out in ((job.training, False), (job.held_out, True)):
        of_part = [
            (crop, held_out, str(clip.path), (str(clip.path), _stretch(i, same_voice_seconds)), clip.speaker)
            for row, clip in enumerate(cache.clips)
            for i, crop in enumerate(utterance_crops(cache.clip(row)))
        ]
        evenly = np.linspace(0, len(of_part) - 1, min(CROPS, len(of_part))).round().astype(int)
        rows += [of_part[i] for i in evenly]
    waveforms, held, recordings, stretches, speakers = zip(*rows, strict=True)
    numbers = {stretch: number for number, stretch in enumerate(dict.fromkeys(stretches))}
    return JobCrops(
        np.stack(waveforms),
        np.asarray(held),
        np.asarray(recordings),
        np.asarray([numbers[stretch] for stretch in stretches]),
        np.asarray(speakers),
    )


def _stretch(crop: int, same_voice_seconds: float) -> int:
    return int(crop * CROP_SAMPLES / SAMPLE_RATE_HZ / same_voice_seconds) if same_voice_seconds else 0


def held_out_losses(objective: Objective, held_out: ClipCache, same_voice_seconds: float) -> dict[str, float]:
    """The model's losses on random pairs of held-out crops, with the same draws for every model."""
    sampler = PairSampler(held_out, None, PAIRS, seed=1, same_voice_seconds=same_voice_seconds)
    with torch.no_grad():
        losses = objective.eval()(sampler.at(0), torch.Generator().manual_seed(1))
    return {name: float(value) for name, value in losses.items()}


def compare(
    crops: JobCrops,
    before: Float32,
    after: Float32,
    losses: tuple[dict[str, float], dict[str, float]],
    mean: ArrayLike,
) -> Measures:
    """The measures of the parent (before) and of the new version (after).

    Args:
        before, after: (crops, dim) unit embeddings.
        losses: from `held_out_losses`, before and after.
        mean: (dim,) of the scoring, the same for both.
    """
    old, new = losses
    centred = centre(before, mean), centre(after, mean)
    return Measures(
        reconstruction=Change(old["mse"], new["mse"]),
        barlow_twins=Change(old["bt"], new["bt"]) if "bt" in old else None,
        separation=_change(*(separation(crops, vectors) for vectors in centred)),
        identification=_change(*(identification(crops, vectors) for vectors in centred)),
    )


def separation(crops: JobCrops, centred: Float32) -> float | None:
    """Area under the ROC curve, in [0, 1], of telling whether two crops are of one recording.

    Each held-out crop is paired with all others. None if a kind of pair is missing: there is one recording
    only, or each has one crop only.
    """
    probes = np.flatnonzero(crops.held_out)
    scores = centred[probes] @ centred.T  # (held out, crops)
    same = crops.recordings[probes][:, None] == crops.recordings[None]
    itself = np.arange(len(centred))[None] == probes[:, None]
    target, nontarget = scores[same & ~itself], scores[~same]
    if target.size == 0 or nontarget.size == 0:
        return None
    ranks = rankdata(np.concatenate([target, nontarget]))
    wins = ranks[: target.size].sum() - target.size * (target.size + 1) / 2
    return float(wins / (target.size * nontarget.size))


def identification(crops: JobCrops, centred: Float32) -> float | None:
    """Leave-one-recording-out accuracy of labelled speakers, in [0, 1]: the nearest voiceprint's speaker.

    A speaker with one recording is enrolled with the part that was trained on and tested with the other.
    None with fewer than two labelled speakers.
    """
    names = np.unique(crops.speakers[crops.speakers != ""])
    if len(names) < 2:
        return None
    whole = np.stack([centred[crops.speakers == name].sum(axis=0) for name in names])
    correct: list[bool] = []
    for recording in np.unique(crops.recordings[crops.speakers != ""]):
        inside = crops.recordings == recording  # (crops,)
        name = int(np.searchsorted(names, crops.speakers[inside][0]))
        alone = bool(np.all(inside[crops.speakers == names[name]]))
        enrolled, probes = whole.copy(), inside & crops.held_out if alone else inside
        enrolled[name] = (
            centred[inside & ~probes].sum(axis=0) if alone else whole[name] - centred[inside].sum(axis=0)
        )
        correct += list((centred[probes] @ unit(enrolled).T).argmax(axis=1) == name)
    return float(np.mean(correct)) if correct else None


def _change(before: float | None, after: float | None) -> Change | None:
    return None if before is None or after is None else Change(before, after)
