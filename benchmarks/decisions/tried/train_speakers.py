"""Embeddings of train speakers, on which calibration and normalisation are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.model import ScoredModel, Voices, crop_sums, embed_voices
from benchmarks.decisions.tables import LENGTHS_S, MOST, STEP
from benchmarks.recordings.conditions import other_channel
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from service.audio import SpeechDetector
from trainer.audio.folders import Clip
from trainer.scoring.narrow import at_8_khz
from trainer.terminal import Say

LENGTHS_SPEAKERS = 2  # every n-th speaker is cut to lengths


@dataclass(frozen=True)
class Train:
    """Train speakers with several recordings under some conditions, and a cohort that adds others."""

    whole: Voices
    channel: Voices
    narrow: Voices  # at 8 kHz
    cut: dict[float, Voices]  # by seconds of speech
    cohort: Voices  # one vector a speaker


def embed_train(
    model: ScoredModel, clips: Sequence[Clip], others: Sequence[Clip], noises: Sequence[Float32], say: Say
) -> Train:
    """Whole clips and conditions from every `STEP`-th clip, lengths from all clips of some speakers.

    Args:
        others: of speakers that are in the cohort only.

    Raises:
        DataError: a clip cannot be read.
    """
    say("train speakers: whole clips, and the cohort")
    recordings, cohort = Recordings.of(clips[::STEP]), Recordings.of(others)
    (trial_sums,), (cohort_sums,) = (
        crop_sums([model.encode], group.samples) for group in (recordings, cohort)
    )
    speakers, owner = np.unique([*recordings.speakers, *cohort.speakers], return_inverse=True)
    sums = np.zeros((len(speakers), trial_sums.shape[1]), np.float32)
    np.add.at(sums, owner, np.concatenate([trial_sums, cohort_sums]))
    say("train speakers: other channels, 8 kHz")
    (channel,) = embed_voices([model], recordings.under(other_channel(noises)))
    (narrow,) = embed_voices([model], recordings.under(at_8_khz))
    say("train speakers: lengths")
    drawn = set(sorted({clip.speaker for clip in clips})[::LENGTHS_SPEAKERS])
    speech = Recordings.of([clip for clip in clips if clip.speaker in drawn]).speech_only(SpeechDetector())
    cut = {seconds: embed_voices([model], speech.of_length(seconds, MOST))[0] for seconds in LENGTHS_S}
    return Train(
        model.voices(trial_sums, recordings.speakers), channel, narrow, cut, model.voices(sums, speakers)
    )
