"""Train speakers as the models hear them: what calibration and normalisation are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.model import Model, Voices, crop_sums, hear
from benchmarks.decisions.tables import LENGTHS_S, MOST, STEP, Say
from benchmarks.recordings.conditions import at_8_khz, other_channel
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from service.audio import SpeechDetector
from trainer.audio.folders import Clip

LENGTHS_SPEAKERS = 2  # every how-manieth speaker is cut to lengths


@dataclass(frozen=True)
class Train:
    """Train speakers with several recordings under some conditions, and a cohort that adds others."""

    whole: Voices
    channel: Voices
    narrow: Voices  # at 8 kHz
    cut: dict[float, Voices]  # by seconds of speech
    cohort: Voices  # one vector a speaker


def embed_train(
    model: Model, clips: Sequence[Clip], others: Sequence[Clip], noises: Sequence[Float32], say: Say
) -> Train:
    """Whole clips and conditions from every `STEP`-th clip, lengths from all clips of some speakers.

    Args:
        others: of speakers that are in the cohort only.

    Raises:
        DataError: a clip cannot be read.
    """
    say("train speakers: whole clips, and the cohort")
    recordings, cohort = Recordings.of(clips[::STEP]), Recordings.of(others)
    (own,), (further,) = (crop_sums([model.encode], heard.samples) for heard in (recordings, cohort))
    speakers, owner = np.unique([*recordings.speakers, *cohort.speakers], return_inverse=True)
    sums = np.zeros((len(speakers), own.shape[1]), np.float32)
    np.add.at(sums, owner, np.concatenate([own, further]))
    say("train speakers: other channels, 8 kHz")
    (channel,) = hear([model], recordings.under(other_channel(noises)))
    (narrow,) = hear([model], recordings.under(at_8_khz))
    say("train speakers: lengths")
    drawn = set(sorted({clip.speaker for clip in clips})[::LENGTHS_SPEAKERS])
    speech = Recordings.of([clip for clip in clips if clip.speaker in drawn]).speech_only(SpeechDetector())
    cut = {seconds: hear([model], speech.of_length(seconds, MOST))[0] for seconds in LENGTHS_S}
    return Train(model.voices(own, recordings.speakers), channel, narrow, cut, model.voices(sums, speakers))
