"""Everything that is measured on the test speakers of one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.decisions.by_seconds import Heard, by_seconds
from benchmarks.decisions.identification import Identification, identification
from benchmarks.decisions.model import Model, Voices, crop_sums, hear
from benchmarks.decisions.rows import Row, measured
from benchmarks.decisions.tables import (
    CHANNEL,
    NARROW,
    WHOLE,
    Say,
    by_age,
    by_gender,
    condition_rows,
    group_rows,
)
from benchmarks.recordings.recordings import Recordings
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import SpeechDetector

#: Corpora that neither scoring was fitted on, and every how-manieth recording that is taken.
STRANGE = {"english_digits": 1, "arabic_speech_commands": 6, "nemo": 4}
JOINED_S = 4.0
#: Conditions whose voices the experiments are tested on.
KEPT = (WHOLE, CHANNEL, NARROW)


@dataclass(frozen=True)
class Measured:
    """One corpus. `voices` are those behind the whole clips, every one of them."""

    name: str
    whole: Row
    voices: list[Voices]
    identification: list[Identification]
    groups: list[Row]
    by_seconds: list[Heard]  # of the first model
    conditions: list[Row] = field(default_factory=list)
    kept: dict[str, list[Voices]] = field(default_factory=dict)  # by condition: those of KEPT


def measure_corpus(models: Sequence[Model], data: Path, name: str, say: Say) -> Measured:
    """Whole clips, groups of speakers, identification, probes by their seconds, conditions.

    Raises:
        DataError: the corpus or the noise cannot be read.
    """
    heard = Recordings.read(data / name, "test")
    say(f"{name}: {len(heard.clips)} recordings of test speakers")
    sums = crop_sums([model.encode for model in models], heard.samples)
    voices = [model.voices(own, heard.speakers) for model, own in zip(models, sums, strict=True)]
    speech = heard.speech_only(SpeechDetector())
    seconds = [len(samples) / SAMPLE_RATE_HZ for samples in heard.samples]
    result = Measured(
        name,
        measured(models, voices, name, WHOLE),
        voices,
        [identification(m, own, heard.speakers, seconds) for m, own in zip(models, sums, strict=True)],
        [
            row
            for label, group in (("gender", by_gender), ("age", by_age))
            if all(label in clip.labels for clip in heard.clips)
            for row in group_rows(models, voices, heard, group)
        ],
        by_seconds(models[0], name, speech),
    )
    for row, under in condition_rows(models, heard, speech, data / "noise", say):
        result.conditions.append(row)
        if row.what in KEPT:
            result.kept[row.what] = under
    return result


def strange_rows(models: Sequence[Model], data: Path, say: Say) -> list[Row]:
    """Corpora unlike those that the thresholds were fitted on; their clips as they are, and joined.

    Raises:
        DataError: a corpus cannot be read.
    """
    rows = []
    for name, step in STRANGE.items():
        heard = Recordings.read(data / name, "test", step=step)
        say(f"{name}: {len(heard.clips)} recordings")
        for what, recordings in ((WHOLE, heard), (f"joined to {JOINED_S:g} s", heard.of_length(JOINED_S))):
            if recordings.clips:
                rows.append(measured(models, hear(models, recordings), name, what))
    return rows
