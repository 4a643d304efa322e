"""Train speakers as the models hear them: what calibration and normalisation are tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.conditions import at_8_khz, other_channel
from benchmarks.decisions.model import Floats, Model, Voices, crop_sums, hear
from benchmarks.decisions.recordings import Recordings
from benchmarks.decisions.tables import LENGTHS_S, MOST
from service.audio import SpeechDetector

THINNED = 3  # every how-manieth recording is a trial


@dataclass(frozen=True)
class Train:
    """The train speakers with several recordings, as each model hears them, and a cohort that adds others."""

    whole: list[Voices]  # one a model
    channel: list[Voices]
    narrow: list[Voices]  # at 8 kHz
    cut: dict[float, Voices]  # of the first model, by seconds of speech
    cohort: list[Voices]  # one vector a speaker

    @classmethod
    def embed(
        cls,
        models: Sequence[Model],
        recordings: Recordings,
        others: Recordings,
        noises: Sequence[Floats],
        say: Callable[[str], None],
    ) -> Train:
        say("train speakers: whole clips, and the cohort")
        every = crop_sums([m.encode for m in models], [*recordings.samples, *others.samples])
        names = np.asarray([*recordings.speakers, *others.speakers])
        thin = slice(0, len(recordings.clips), THINNED)  # the others are in the cohort only
        whole = [m.voices(own[thin], names[thin]) for m, own in zip(models, every, strict=True)]
        say("train speakers: another channel each")
        channel = hear(models, recordings.every(THINNED).under(other_channel(noises)))
        say("train speakers: 8 kHz")
        narrow = hear(models, recordings.every(THINNED).under(at_8_khz))
        say("train speakers: cut")
        speech = recordings.speech_only(SpeechDetector())
        return cls(
            whole,
            channel,
            narrow,
            {seconds: hear(models[:1], speech.of_length(seconds, MOST))[0] for seconds in LENGTHS_S},
            [_one_a_speaker(m, own, names) for m, own in zip(models, every, strict=True)],
        )


def _one_a_speaker(model: Model, sums: Floats, names: NDArray[np.str_]) -> Voices:
    speakers, owner = np.unique(names, return_inverse=True)
    totals = np.zeros((len(speakers), sums.shape[1]), np.float32)
    np.add.at(totals, owner, sums)
    return model.voices(totals, speakers)
