"""The error rates, corpus by corpus and condition by condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.decisions.figures import cells
from benchmarks.decisions.model import ScoredModel, Voices, embed_voices
from benchmarks.decisions.rows import Row, make_row
from benchmarks.recordings.conditions import in_noise, other_channel, read_noises
from benchmarks.recordings.recordings import Recordings
from trainer.audio.folders import Clip
from trainer.scoring.narrow import at_8_khz
from trainer.terminal import Say

#: Every n-th recording of a corpus larger than librispeech is taken, where its length stays as it is.
STEP = 4
#: Seconds of speech, and utterances of a speaker at most.
LENGTHS_S = (1.0, 2.0, 4.0, 10.0)
MOST = 4
SNRS_DB = (20, 10, 5, 0)
WHOLE = "whole clips"
NARROW = "8 kHz"
CHANNEL = "another channel each"


def condition_rows(
    models: Sequence[ScoredModel], recordings: Recordings, speech: Recordings, noise: Path, say: Say
) -> Iterator[tuple[Row, list[Voices]]]:
    """A corpus under every condition, each with the voices behind the figures.

    Args:
        speech: the recordings without silence.
    """
    corpus = recordings.clips[0].corpus
    for what, changed in _under_conditions(recordings, speech, noise, 1 if corpus == "librispeech" else STEP):
        if changed.clips:
            voices = embed_voices(models, changed)
            row = make_row(models, voices, corpus, what)
            say(f"{corpus}, {what}: {' · '.join(cells(row.models))}")
            yield replace(row, joined=100 * changed.joined / len(changed.clips)), voices


def group_rows(
    models: Sequence[ScoredModel],
    voices: Sequence[Voices],
    recordings: Recordings,
    group: Callable[[Clip], str],
) -> Iterator[Row]:
    """Pairs within a group of speakers."""
    groups = [group(clip) for clip in recordings.clips]
    for name in sorted(set(groups)):
        inside = sorted(
            {s for s, its_group in zip(recordings.speakers, groups, strict=True) if its_group == name}
        )
        inside_voices = [of_model.of(inside) for of_model in voices]
        yield make_row(models, inside_voices, recordings.clips[0].corpus, f"{name} ({len(inside)} speakers)")


def by_gender(clip: Clip) -> str:
    return {"f": "women and girls", "m": "men and boys"}[clip.labels["gender"]]


def by_age(clip: Clip) -> str:
    age = int(clip.labels["age"])
    return "aged under 12" if age < 12 else "aged 12 to 17" if age < 18 else "aged 18 and over"


def _under_conditions(
    recordings: Recordings, speech: Recordings, noise: Path, step: int
) -> Iterator[tuple[str, Recordings]]:
    thinned = recordings.every(step)
    noises = read_noises(noise)
    yield WHOLE, thinned
    yield "speech only, as the service hears it", speech.every(step)
    for seconds in LENGTHS_S:
        yield f"{seconds:g} s of speech", speech.of_length(seconds, MOST)
    for snr_db in SNRS_DB:
        yield f"noise at {snr_db} dB", thinned.under(in_noise(noises, snr_db))
    yield NARROW, thinned.under(at_8_khz)
    yield CHANNEL, thinned.under(other_channel(noises))
