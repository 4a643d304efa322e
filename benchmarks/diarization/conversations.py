"""Conversations joined from recordings of a corpus, with a reference of who spoke when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import Region, SpeechDetector
from trainer.audio.folders import read_audio, read_folder

PEOPLE = (2, 3, 4, 5, 6)  # in one conversation
TURN_SECONDS = 20.0  # of speech for each person, about
ENROL_SECONDS = 10.0  # of speech, which no conversation uses; less where that would be more than half
INTERRUPTS = 0.15  # share of the turns that begin while the other still speaks
OVERLAP_S = (0.3, 1.0)
PAUSE_S = (0.15, 1.2)
LATCHED_S = (0.0, 0.1)  # instead, where one follows another at once and nobody interrupts


@dataclass(frozen=True, eq=False)
class Utterance:
    """A piece of a recording from its first word to its last."""

    samples: Float32  # (n,) 16 kHz
    regions: tuple[Region, ...]  # of speech, from the piece's start

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, eq=False)
class Person:
    """What one speaker says in conversations, and for an enrolment."""

    name: str
    enrolment: Float32  # (n,)
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, eq=False)
class Conversation:
    """A made recording and who speaks when in it."""

    name: str
    samples: Float32  # (n,) 16 kHz
    turns: tuple[tuple[str, Region], ...]  # by the speech of the recordings it was joined from
    enrolled: tuple[str, ...]  # of those who speak in it; nobody knows the others

    def under(self, samples: Float32) -> Conversation:
        """The same conversation as it arrives: (n,)."""
        return replace(self, samples=samples)


def read_people(corpus: Path, split: str, detector: SpeechDetector, *, least_s: float = 20.0) -> list[Person]:
    """The speakers with `least_s` of speech or more.

    Raises:
        DataError: the corpus cannot be read.
    """
    recordings: dict[str, list[Float32]] = {}
    for clip in read_folder(corpus, split):
        recordings.setdefault(clip.speaker, []).append(read_audio(clip.path))
    people = []
    for name, clips in sorted(recordings.items()):
        utterances = [piece for samples in clips for piece in _pieces(samples, detector)]
        total_s = sum(utterance.seconds for utterance in utterances)
        if total_s < least_s:
            continue
        enrolment: list[Utterance] = []
        while sum(u.seconds for u in enrolment) < min(ENROL_SECONDS, 0.4 * total_s):
            enrolment.append(utterances.pop(0))
        if utterances:
            joined = np.concatenate([u.samples for u in enrolment])
            people.append(Person(name, joined, tuple(utterances)))
    return people


def _pieces(samples: Float32, detector: SpeechDetector, longest_s: float = 5.0) -> list[Utterance]:
    """A recording cut at its pauses into pieces of at most about `longest_s`."""
    pieces: list[list[Region]] = []
    for region in detector.find(samples):
        if pieces and region.end_s - pieces[-1][0].start_s <= longest_s:
            pieces[-1].append(region)
        else:
            pieces.append([region])
    return [
        Utterance(
            samples[round(piece[0].start_s * SAMPLE_RATE_HZ) : round(piece[-1].end_s * SAMPLE_RATE_HZ)],
            tuple(Region(r.start_s - piece[0].start_s, r.end_s - piece[0].start_s) for r in piece),
        )
        for piece in pieces
    ]


def make_conversations(
    people: Sequence[Person], count: int, *, seed: int, latched: bool = False
) -> list[Conversation]:
    """`count` conversations of 2 to 6 people, about two thirds of whom are enrolled.

    `latched`: without pauses and interruptions, so that nobody speaks at once.
    """
    conversations = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        size = min(PEOPLE[number % len(PEOPLE)], len(people))
        chosen = [people[i] for i in rng.permutation(len(people))[:size]]
        enrolled = tuple(person.name for person in chosen[: max(1, round(size * 2 / 3))])
        conversations.append(_conversation(f"{number}", chosen, enrolled, rng, latched=latched))
    return conversations


def _conversation(
    name: str,
    people: Sequence[Person],
    enrolled: tuple[str, ...],
    rng: np.random.Generator,
    *,
    latched: bool,
) -> Conversation:
    waiting = {}
    for person in people:
        order = rng.permutation(len(person.utterances))
        lengths = np.cumsum([person.utterances[i].seconds for i in order])
        chosen = order[: 1 + int(np.searchsorted(lengths, TURN_SECONDS))]
        waiting[person.name] = [person.utterances[i] for i in chosen]
    audio = np.zeros(round(0.5 * SAMPLE_RATE_HZ), np.float32)
    turns: list[tuple[str, Region]] = []
    previous = ""
    while any(waiting.values()):
        others = [p for p, left in waiting.items() if left and p != previous] or [previous]
        weights = np.array([len(waiting[p]) for p in others], float)
        speaker = others[int(rng.choice(len(others), p=weights / weights.sum()))]
        piece = waiting[speaker].pop()
        interrupts = turns and speaker != previous and rng.random() < INTERRUPTS and not latched
        pause_s = LATCHED_S if latched else PAUSE_S
        gap_s = -rng.uniform(*OVERLAP_S) if interrupts else rng.uniform(*pause_s)
        start = max(len(audio) + round(gap_s * SAMPLE_RATE_HZ), 0)
        longer = np.zeros(max(start + len(piece.samples), len(audio)), np.float32)
        longer[: len(audio)] = audio
        longer[start : start + len(piece.samples)] += piece.samples
        audio = longer
        start_s = start / SAMPLE_RATE_HZ
        turns += [(speaker, Region(start_s + r.start_s, start_s + r.end_s)) for r in piece.regions]
        previous = speaker
    return Conversation(name, audio, tuple(turns), enrolled)
