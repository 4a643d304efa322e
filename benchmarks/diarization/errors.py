"""What each method says of a conversation, and how far that is from its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from benchmarks.diarization.conversations import Conversation, Person
from bundle.arrays import Float32
from bundle.vectors import pool_utterance
from service.audio import SpeechDetector, cut_crops
from service.audio.level import levelled
from service.diarization import Hints, Turn, cut_windows, diarize
from service.speakers import Strictness, VoiceIndex, Voiceprints, decide
from trainer.bundles.runner import BundleRunner

UNKNOWN = "unknown"
FRAME_S = 0.01
COLLARS_S = (0.0, 0.25)
_STRICTNESS = Strictness(0.01)
METHODS = ("ours", "each window named by itself", "one voice throughout")


@dataclass(frozen=True)
class Said:
    """A conversation's reference, and what one method made of it."""

    reference: Sequence[Turn]
    enrolled: Sequence[str]
    turns: Sequence[Turn]
    voices: int


def said_of(
    conversation: Conversation, people: Sequence[Person], model: BundleRunner, detector: SpeechDetector
) -> dict[str, Said]:
    """By method. A part of the people is enrolled, as the conversation says."""
    enrolled = [person for person in people if person.name in conversation.enrolled]
    names = tuple(person.name for person in enrolled)
    matrix = np.stack([_voiceprint(person.enrolment, model, detector) for person in enrolled])
    index = VoiceIndex(model.id, model.scorer, [Voiceprints(names, matrix, dict.fromkeys(names))])
    samples = levelled(conversation.samples)
    windows = cut_windows(detector.find(samples))
    embeddings = np.concatenate([model.embed(batch) for batch in windows.waveforms(samples, 64)])

    def name(voice: Float32, seconds: float) -> str | None:
        decision = decide(index, voice, seconds=seconds, strictness=_STRICTNESS, tenant="", top_k=1)
        return decision.match.speaker_id if decision.match else None

    parts = diarize(windows, embeddings, model.scorer, Hints())
    labels = [name(v.embedding, v.speech_s) or f"{UNKNOWN} {k}" for k, v in enumerate(parts.voices)]
    ours = [Turn(s.start_s, s.end_s, labels[s.voice]) for s in parts.segments]
    alone = [name(row, 1.0) or UNKNOWN for row in embeddings]
    reference = [Turn(region.start_s, region.end_s, speaker) for speaker, region in conversation.turns]
    turns = {
        METHODS[0]: ours,
        METHODS[1]: [Turn(a, b, label) for (a, b), label in zip(windows.spans, alone, strict=True)],
        METHODS[2]: [Turn(a, b, UNKNOWN) for a, b in windows.spans],
    }
    return {
        method: Said(reference, names, lines, len({turn.label for turn in lines}))
        for method, lines in turns.items()
    }


def error_rates(said: Sequence[Said]) -> dict[str, float]:
    """DER and JER in per cent, the share of enrolled people's time with the right name, and the count."""
    rates: dict[str, float] = {}
    makers: dict[str, Callable[..., Any]] = {
        "DER": DiarizationErrorRate,
        "JER": JaccardErrorRate,
    }
    for title, make in makers.items():
        for collar in COLLARS_S:
            metric = make(collar=2 * collar)  # pyannote counts both sides together
            for one in said:
                metric(_annotation(one.reference), _annotation(one.turns), uem=_whole(one))
            rates[f"{title} {collar:g}"] = 100 * abs(metric)
    right, total = np.sum([_named(one) for one in said], axis=0)
    rates["named"] = 100 * float(right / total)
    rates["count"] = float(np.mean([one.voices - len({t.label for t in one.reference}) for one in said]))
    return rates


def _voiceprint(samples: Float32, model: BundleRunner, detector: SpeechDetector) -> Float32:
    samples = levelled(samples)
    return pool_utterance(model.embed(cut_crops(samples, detector.find(samples)).waveforms))


def _annotation(turns: Sequence[Turn]) -> Annotation:
    annotation = Annotation()
    for number, turn in enumerate(turns):
        annotation[Segment(turn.start_s, turn.end_s), number] = turn.label
    return annotation.support()


def _whole(said: Said) -> Segment:
    return Segment(0.0, max(turn.end_s for turn in (*said.reference, *said.turns)))


def _named(said: Said) -> tuple[int, int]:
    """10 ms frames of enrolled people with the right name, and all of theirs."""
    count = 1 + int(_whole(said).end / FRAME_S)
    right = total = 0
    for name in said.enrolled:
        spoken, named = np.zeros(count, bool), np.zeros(count, bool)
        for frames, turns in ((spoken, said.reference), (named, said.turns)):
            for turn in turns:
                if turn.label == name:
                    frames[round(turn.start_s / FRAME_S) : round(turn.end_s / FRAME_S)] = True
        right += int((spoken & named).sum())
        total += int(spoken.sum())
    return right, total
