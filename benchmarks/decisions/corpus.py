"""Everything that is measured on the test speakers of one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.decisions.by_seconds import ProbeFigures, by_seconds
from benchmarks.decisions.identification import Identification, identification
from benchmarks.decisions.model import ScoredModel, Voices, crop_sums, embed_voices
from benchmarks.decisions.rows import Row, make_row
from benchmarks.decisions.tables import (
    CHANNEL,
    NARROW,
    WHOLE,
    by_age,
    by_gender,
    condition_rows,
    group_rows,
)
from benchmarks.recordings.recordings import Recordings
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import SpeechDetector
from trainer.terminal import Say

#: Corpora that neither scoring was fitted on; every n-th recording is taken.
STRANGE = {"english_digits": 1, "arabic_speech_commands": 6, "nemo": 4}
JOINED_S = 4.0
#: Conditions whose voices the experiments are tested on.
TRIED_ON = (WHOLE, CHANNEL, NARROW)


@dataclass(frozen=True)
class CorpusFigures:
    """One corpus. `voices` are those behind the whole clips, every one of them."""

    name: str
    whole: Row
    voices: list[Voices]
    identification: list[Identification]
    groups: list[Row]
    by_seconds: list[ProbeFigures]  # of the first model
    conditions: list[Row] = field(default_factory=list)
    tried_on: dict[str, list[Voices]] = field(default_factory=dict)  # by condition: those of TRIED_ON


def measure_corpus(models: Sequence[ScoredModel], data: Path, name: str, say: Say) -> CorpusFigures:
    """Whole clips, groups of speakers, identification, probes by their seconds, conditions.

    Raises:
        DataError: the corpus or the noise cannot be read.
    """
    recordings = Recordings.read(data / name, "test")
    say(f"{name}: {len(recordings.clips)} recordings of test speakers")
    sums = crop_sums([model.encode for model in models], recordings.samples)
    voices = [
        model.voices(model_sums, recordings.speakers) for model, model_sums in zip(models, sums, strict=True)
    ]
    speech = recordings.speech_only(SpeechDetector())
    seconds = [len(samples) / SAMPLE_RATE_HZ for samples in recordings.samples]
    result = CorpusFigures(
        name,
        make_row(models, voices, name, WHOLE),
        voices,
        [
            identification(m, model_sums, recordings.speakers, seconds)
            for m, model_sums in zip(models, sums, strict=True)
        ],
        [
            row
            for label, group in (("gender", by_gender), ("age", by_age))
            if all(label in clip.labels for clip in recordings.clips)
            for row in group_rows(models, voices, recordings, group)
        ],
        by_seconds(models[0], name, speech),
    )
    for row, under in condition_rows(models, recordings, speech, data / "noise", say):
        result.conditions.append(row)
        if row.what in TRIED_ON:
            result.tried_on[row.what] = under
    return result


def strange_rows(models: Sequence[ScoredModel], data: Path, say: Say) -> list[Row]:
    """Corpora unlike those that the thresholds were fitted on; their clips as they are, and joined.

    Raises:
        DataError: a corpus cannot be read.
    """
    rows = []
    for name, step in STRANGE.items():
        recordings = Recordings.read(data / name, "test", step=step)
        say(f"{name}: {len(recordings.clips)} recordings")
        joined = recordings.of_length(JOINED_S)
        for what, utterances in ((WHOLE, recordings), (f"joined to {JOINED_S:g} s", joined)):
            if utterances.clips:
                rows.append(make_row(models, embed_voices(models, utterances), name, what))
    return rows
