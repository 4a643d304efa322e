"""The voice encoder of a run on train speakers set aside, under each condition and with either whitening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings.conditions import at_8_khz, in_noise, other_channel, read_noises
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from bundle.scoring import centre
from bundle.vectors import unit
from trainer.audio.folders import Clip, read_folder, read_noise
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.bundles.voice import Channels, whitening_of
from trainer.metrics import eer
from trainer.scoring.calibration import pair_scores
from trainer.scoring.embedding import Condition, CropEncoder, encode_clips, utterance_crops
from trainer.scoring.whitening import Whitening

TRIALS = "speechocean762"
#: What the whitening is fitted on, beside the trials' other speakers: every n-th recording of each corpus.
FITTED_ON = {"librispeech": 1, "crowd": 4}
STEP = 2  # every n-th recording of the trials' corpus
CLEAN, NARROW = "as recorded", "8 kHz"
WHITENINGS = ("crops as recorded", "and through channels")


@dataclass(frozen=True)
class VoiceFigures:
    """Equal error rates by condition, and what 8 kHz does to a threshold made for 1 %; all in per cent."""

    eers: dict[str, float]
    narrow_false_accepts: float


def set_aside(clips: Sequence[Clip], step: int) -> tuple[list[Clip], list[Clip]]:
    """Half of the speakers to fit on, the other half to measure; every `step`-th clip of each half."""
    measured = set(sorted({clip.speaker for clip in clips})[1::2])
    thinned = clips[::step]
    return [c for c in thinned if c.speaker not in measured], [c for c in thinned if c.speaker in measured]


def conditions(data: Path) -> dict[str, Condition]:
    """What happens to the trials; noise of the train split, since choices are made by these figures."""
    noises = read_noises(data / "noise", "train")
    return {
        CLEAN: lambda samples, _: samples,
        "noise at 20 dB": in_noise(noises, 20.0),
        "noise at 10 dB": in_noise(noises, 10.0),
        "another channel each": other_channel(noises),
        NARROW: at_8_khz,
    }


def voice_figures(objective: Objective, data: Path, *, every: int = 1) -> dict[str, VoiceFigures]:
    """By `WHITENINGS`: the whitening of a bundle fitted without, and with, crops through channels.

    Args:
        every: measures on fewer recordings still, for a quick look.

    Raises:
        DataError: a corpus cannot be read.
        ValueError: the run was trained without acoustics.
    """
    represent = autodecompose_voice(objective).encode
    fit_clips, trials = set_aside(read_folder(data / TRIALS, "train"), STEP * every)
    for name, step in FITTED_ON.items():
        fit_clips += read_folder(data / name, "train")[:: step * every]
    acoustics = objective.settings.chain or objective.settings.acoustics
    if acoustics is None:
        raise ValueError("A run without acoustics has no channels to fit a whitening through.")
    channels = Channels(acoustics, read_folder(data / "noise", "train"), read_noise(data / "rooms", "train"))
    encoded = encode_clips(fit_clips, [represent, lambda crops: represent(channels(crops))])
    plain, channelled = (encoded.pooled(vectors) for vectors in encoded.vectors)
    whitenings = dict(
        zip(WHITENINGS, (whitening_of([plain]), whitening_of([plain, channelled])), strict=True)
    )
    recordings = Recordings.of(trials)
    crops = {name: _crops(recordings.under(how), represent) for name, how in conditions(data).items()}
    return {
        name: _figures(whitening, plain.crops, crops, recordings.speakers)
        for name, whitening in whitenings.items()
    }


def _crops(recordings: Recordings, represent: CropEncoder) -> tuple[Float32, NDArray[np.intp]]:
    """Representations of every crop (crops, dim), and where each recording's begin."""
    cut = [utterance_crops(samples) for samples in recordings.samples]
    return represent(np.concatenate(cut)), np.cumsum([0, *map(len, cut[:-1])])


def _figures(
    whitening: Whitening,
    background: Float32,
    crops: dict[str, tuple[Float32, NDArray[np.intp]]],
    speakers: Sequence[str],
) -> VoiceFigures:
    mean = whitening(background).mean(axis=0)
    pairs = {}
    for name, (representations, starts) in crops.items():
        utterances = unit(np.add.reduceat(whitening(representations), starts, axis=0))
        pairs[name] = pair_scores(centre(utterances, mean), speakers)
    threshold = np.quantile(pairs[CLEAN][1], 0.99)
    return VoiceFigures(
        {name: 100 * eer(*both) for name, both in pairs.items()},
        100 * float(np.mean(pairs[NARROW][1] >= threshold)),
    )
