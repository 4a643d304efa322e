"""What may be wrong with the recordings of an enrolment, and recordings with which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conditions.codecs import Codec, through_codec
from benchmarks.enrolments.material import Person
from benchmarks.recordings.conditions import in_noise, read_noises
from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.scoring.embedding import Condition

Files = list[Float32]  # samples (n,) of the files of one enrolment

PAIRS = 90  # of two voices in a corpus, about; a third of it for some kinds
COPIES = 10  # of a kind in a corpus, at most
FILE_S, PART_S, SENTENCE_S = 12.0, 8.0, 4.0
#: Issues that say that an enrolment is not one voice.
VOICES = ("two_voices", "other_voice")
_AGAIN = {
    "the same bytes": None,
    "MP3 64 kbit/s": Codec(("-c:a", "libmp3lame", "-b:a", "64k"), "mp3"),
    "Opus 16 kbit/s": Codec(("-c:a", "libopus", "-b:a", "16k"), "ogg"),
    "GSM, 8 kHz": Codec(("-c:a", "libgsm_ms"), "wav", 8_000),
}
_TELEPHONE = Codec(("-c:a", "pcm_mulaw"), "wav", 8_000)


@dataclass(frozen=True)
class Kind:
    """One row of the page: enrolments of a kind."""

    name: str
    issues: tuple[str, ...]  # one of these is to be said; of a faultless enrolment: must not be said
    faulty: bool
    enrolments: Callable[[Sequence[Person]], Iterator[Files]]  # of the people of a corpus


def kinds(ambience: Path, split: str) -> list[Kind]:
    """The rows in the page's order. Ambience is of the split of the speech.

    Raises:
        DataError: `ambience` cannot be read.
    """
    noises = read_noises(ambience, split)
    every = ("two_voices", "other_voice", "same_recording", "repeated", "noisy")
    rows = [
        Kind("two voices, 8 s each, in one file", ("two_voices",), True, _two_halves),
        Kind("12 s of one voice, then 4 s of another", ("two_voices",), True, _interrupted),
        Kind("two voices in turns of 4 s", ("two_voices",), True, _turns),
        Kind("a stranger's 12 s added to 12 s", ("other_voice",), True, _stranger),
        Kind("a stranger's 6 s added to 12 s", ("other_voice",), True, _short_stranger),
        Kind("a stranger's 12 s added to two files", ("other_voice",), True, _third_file),
    ]
    rows += [
        Kind(f"the same file again: {name}", ("same_recording",), True, _again(codec))
        for name, codec in _AGAIN.items()
    ]
    rows += [
        Kind("the same file again: 20 dB quieter, its first second cut off", ("same_recording",), True, _cut),
        Kind("a sentence of 4 s three times", ("repeated",), True, _repeated),
        Kind("6 s", ("too_short",), True, lambda people: ([p] for a in people for p in a.parts(6.0))),
        Kind("ambience at 5 dB", ("noisy",), True, _single(in_noise(noises, 5), 1)),
        Kind("one file of 12 s", every, False, _single(lambda samples, _: samples, 3)),
        Kind("two files of 12 s", every, False, _several(2)),
        Kind("three files of 12 s", every, False, _several(3)),
        Kind("two files of 12 s, one over a telephone", every[:4], False, _two_lines),
        Kind("one file of 12 s, ambience at 10 dB", every[:4], False, _single(in_noise(noises, 10), 1)),
    ]
    return rows


def with_strangers(people: Sequence[Person], pairs: int = PAIRS) -> Iterator[tuple[Person, Person]]:
    """Each person with as many others as make about `pairs`, spread over all of them."""
    count = len(people)
    strangers = max(1, round(pairs / count))
    step = max(1, (count - 1) // strangers)
    for i, person in enumerate(people):
        for k in range(min(strangers, count - 1)):
            yield person, people[(i + 1 + k * step) % count]


def _two_halves(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people):
        for first, second in zip(a.parts(PART_S), b.parts(PART_S), strict=False):
            yield [np.concatenate([first, second])]


def _interrupted(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people, PAIRS // 3):
        for first, second in zip(a.parts(FILE_S), b.parts(SENTENCE_S), strict=False):
            yield [np.concatenate([first, second])]


def _turns(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people, PAIRS // 3):
        turns = [
            part
            for pair in zip(a.parts(SENTENCE_S, 2), b.parts(SENTENCE_S, 2), strict=False)
            for part in pair
        ]
        if len(turns) == 4:
            yield [np.concatenate(turns)]


def _stranger(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people):
        for file, other in zip(a.parts(FILE_S), b.parts(FILE_S), strict=False):
            yield [file, other]


def _short_stranger(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people):
        for file, other in zip(a.parts(FILE_S), b.parts(6.0), strict=False):
            yield [file, other]


def _third_file(people: Sequence[Person]) -> Iterator[Files]:
    for a, b in with_strangers(people):
        files = [*a.parts(FILE_S, 2), *b.parts(FILE_S)]
        if len(files) == 3:
            yield files


def _again(codec: Codec | None) -> Callable[[Sequence[Person]], Iterator[Files]]:
    def enrolments(people: Sequence[Person]) -> Iterator[Files]:
        files = [file for person in people[:COPIES] for file in person.parts(FILE_S)]
        for file, other in zip(files, files if codec is None else through_codec(files, codec), strict=True):
            yield [file, other]

    return enrolments


def _cut(people: Sequence[Person]) -> Iterator[Files]:
    for person in people:
        for file in person.parts(FILE_S):
            yield [file, file[SAMPLE_RATE_HZ:] * np.float32(0.1)]


def _repeated(people: Sequence[Person]) -> Iterator[Files]:
    for person in people:
        for part in person.parts(SENTENCE_S):
            yield [np.tile(part, 3)]


def _single(condition: Condition, each: int) -> Callable[[Sequence[Person]], Iterator[Files]]:
    def enrolments(people: Sequence[Person]) -> Iterator[Files]:
        files = [file for person in people for file in person.parts(FILE_S, each)]
        for index, file in enumerate(files):
            yield [condition(file, index)]

    return enrolments


def _several(count: int) -> Callable[[Sequence[Person]], Iterator[Files]]:
    def enrolments(people: Sequence[Person]) -> Iterator[Files]:
        for person in people:
            files = person.parts(FILE_S, 4)
            for start in range(0, len(files) - count + 1, count):
                yield files[start : start + count]

    return enrolments


def _two_lines(people: Sequence[Person]) -> Iterator[Files]:
    pairs = list(_several(2)(people))
    if pairs:
        narrow = through_codec([second for _, second in pairs], _TELEPHONE)
        yield from ([wide, second] for (wide, _), second in zip(pairs, narrow, strict=True))
