"""The voice encoder of a run on the train speakers that were set aside, under each condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conditions.degradations import in_room
from benchmarks.recordings.conditions import in_noise, other_channel, read_noises
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from bundle.scoring import Scorer, Scoring, centre
from bundle.vectors import pool_utterance
from trainer.audio.folders import Clip, read_audio, read_folder, read_noise
from trainer.bundles.voice import VoiceModel, fit_voice
from trainer.metrics import eer
from trainer.scoring.calibration import pair_scores
from trainer.scoring.embedding import Condition, CropEncoder, utterance_crops
from trainer.scoring.narrow import at_8_khz
from trainer.training.material import set_aside

SHARE = 0.12  # of the train speakers: `--aside 0.12` of the trainings
#: What the whitening is fitted on: every n-th recording of each corpus, without the speakers set aside.
FITTED_ON = {"speechocean762": 2, "librispeech": 1, "crowd": 4, "student_words": 2}
TRIALS = ("speechocean762", "student_words", "librispeech")
PARTS = 3  # LibriSpeech has one recording a speaker: it is cut
CLEAN, NARROW = "as recorded", "8 kHz"


@dataclass(frozen=True)
class VoiceFigures:
    """In per cent, means over `TRIALS`: equal error rates by condition, and false accepts at 8 kHz at the
    threshold for 1 %."""

    eers: dict[str, float]
    narrow_false_accepts: float


def conditions(data: Path) -> dict[str, Condition]:
    """What happens to the trials: noise and rooms of the train split, since these figures choose.

    Raises:
        DataError: noise or rooms cannot be read.
    """
    ambience = read_noises(data / "ambience", "train")
    return {
        CLEAN: lambda samples, _: samples,
        "ambience at 20 dB": in_noise(ambience, 20.0),
        "ambience at 10 dB": in_noise(ambience, 10.0),
        "measured rooms": in_room([read_audio(clip.path) for clip in read_noise(data / "rooms", "train")]),
        "another channel each": other_channel(read_noises(data / "noise", "train")),
        NARROW: at_8_khz,
    }


def fitted_on(data: Path, *, every: int = 1) -> list[Clip]:
    """Recordings of train speakers that were not set aside."""
    return [
        clip
        for corpus, step in FITTED_ON.items()
        for clip in read_folder(data / corpus, "train")[:: step * every]
        if not set_aside(clip, SHARE)
    ]


def trials(data: Path, corpus: str) -> Recordings:
    """Recordings of the train speakers that were set aside."""
    clips = [clip for clip in read_folder(data / corpus, "train") if set_aside(clip, SHARE)]
    recordings = Recordings.of(clips)
    if corpus != "librispeech":
        return recordings
    parts = [part for samples in recordings.samples for part in np.array_split(samples, PARTS)]
    return Recordings(parts, [clip for clip in clips for _ in range(PARTS)])


def voice_figures(
    model: VoiceModel, data: Path, *, corpora: Sequence[str] = TRIALS, every: int = 1
) -> VoiceFigures:
    """Whitening, mean and threshold are fitted as an export fits them.

    Args:
        corpora: whose speakers are measured.
        every: fits on fewer recordings still, for a quick look.

    Raises:
        DataError: a corpus cannot be read.
    """
    noise = read_folder(data / "noise", "train")
    fit = fit_voice(model, fitted_on(data, every=every), noise, rooms=read_noise(data / "rooms", "train"))
    threshold = Scorer(Scoring.model_validate(fit.scoring)).threshold(0.01, seconds=None)
    by_name = conditions(data)
    errors: dict[str, list[float]] = {name: [] for name in by_name}
    accepts = []
    for corpus in corpora:
        recordings = trials(data, corpus)
        for name, condition in by_name.items():
            embeddings = _embed(recordings.under(condition).samples, lambda x: fit.whitening(model.encode(x)))
            same, other = pair_scores(centre(embeddings, fit.scoring["mean"]), recordings.speakers)
            errors[name].append(100 * eer(same, other))
            if name == NARROW:
                accepts.append(100 * float(np.mean(other >= threshold)))
    return VoiceFigures(
        {name: float(np.mean(values)) for name, values in errors.items()}, float(np.mean(accepts))
    )


def _embed(samples: Sequence[Float32], encode: CropEncoder) -> Float32:
    """(recordings, dim)"""
    cut = [utterance_crops(recording) for recording in samples]
    crops = np.split(encode(np.concatenate(cut)), np.cumsum([len(part) for part in cut])[:-1])
    return np.stack([pool_utterance(part) for part in crops])
