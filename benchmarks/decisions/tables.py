"""The error rates, corpus by corpus and condition by condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.decisions.figures import cells
from benchmarks.decisions.model import Model, Voices, hear
from benchmarks.decisions.rows import Row, measured
from benchmarks.recordings.conditions import at_8_khz, in_noise, other_channel, read_noises
from benchmarks.recordings.recordings import Recordings
from trainer.audio.folders import Clip

#: Every n-th recording of a corpus larger than librispeech is taken, where its length stays as it is.
STEP = 4
#: Seconds of speech, and utterances of a speaker at most.
LENGTHS_S = (1.0, 2.0, 4.0, 10.0)
MOST = 4
SNRS_DB = (20, 10, 5, 0)
WHOLE = "whole clips"
NARROW = "8 kHz"
CHANNEL = "another channel each"

Say = Callable[[str], None]


def condition_rows(
    models: Sequence[Model], recordings: Recordings, speech: Recordings, noise: Path, say: Say
) -> Iterator[tuple[Row, list[Voices]]]:
    """A corpus under every condition, each with the voices behind the figures.

    Args:
        speech: the recordings without silence.
    """
    corpus = recordings.clips[0].corpus
    for what, heard in _heard(recordings, speech, noise, 1 if corpus == "librispeech" else STEP):
        if heard.clips:
            voices = hear(models, heard)
            one = measured(models, voices, corpus, what)
            say(f"{corpus}, {what}: {' · '.join(cells(one.models))}")
            yield replace(one, joined=100 * heard.joined / len(heard.clips)), voices


def group_rows(
    models: Sequence[Model], voices: Sequence[Voices], recordings: Recordings, group: Callable[[Clip], str]
) -> Iterator[Row]:
    """Pairs within a group of speakers."""
    groups = [group(clip) for clip in recordings.clips]
    for name in sorted(set(groups)):
        inside = sorted({one for one, own in zip(recordings.speakers, groups, strict=True) if own == name})
        heard = [own.of(inside) for own in voices]
        yield measured(models, heard, recordings.clips[0].corpus, f"{name} ({len(inside)} speakers)")


def by_gender(clip: Clip) -> str:
    return {"f": "women and girls", "m": "men and boys"}[clip.labels["gender"]]


def by_age(clip: Clip) -> str:
    age = int(clip.labels["age"])
    return "aged under 12" if age < 12 else "aged 12 to 17" if age < 18 else "aged 18 and over"


def _heard(
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
