"""What each method says of a conversation, and how far that is from its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from benchmarks.diarization.conversations import Conversation, Person
from bundle.arrays import Float32
from bundle.vectors import pool_utterance
from service.audio import Region, SpeechDetector, cut_crops
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
    overlaps: Sequence[Region] = ()  # where it says that two people speak at once


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
    overlaps = [Region(s.start_s, s.end_s) for s in parts.segments if s.overlap]
    return {
        method: Said(
            reference, names, lines, len({turn.label for turn in lines}), overlaps if lines is ours else ()
        )
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


def overlap_rates(said: Sequence[Said]) -> dict[str, float]:
    """How well time in which two people speak at once is found, in per cent of speech or of such time.

    `share` of all speech is overlapped: the precision of somebody who always says so, with a recall of 100.
    """
    right = marked = overlapped = speech = 0
    for one in said:
        count = 1 + int(_whole(one).end / FRAME_S)
        people = np.zeros(count, np.intp)
        for label in {turn.label for turn in one.reference}:
            people += _frames([turn for turn in one.reference if turn.label == label], count)
        claimed = _frames(one.overlaps, count) & (people > 0)
        right += int((claimed & (people > 1)).sum())
        marked += int(claimed.sum())
        overlapped += int((people > 1).sum())
        speech += int((people > 0).sum())
    return {
        "share": 100 * overlapped / speech,
        "marked": 100 * marked / speech,
        "precision": 100 * right / max(marked, 1),
        "recall": 100 * right / max(overlapped, 1),
        "F1": 200 * right / max(marked + overlapped, 1),
        "F1 of always": 200 * overlapped / (speech + overlapped),
    }


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
        spoken, named = (
            _frames([turn for turn in turns if turn.label == name], count)
            for turns in (said.reference, said.turns)
        )
        right += int((spoken & named).sum())
        total += int(spoken.sum())
    return right, total


def _frames(spans: Sequence[Turn] | Sequence[Region], count: int) -> NDArray[np.bool_]:
    """(count,) which frames of 10 ms lie in any of the spans."""
    frames = np.zeros(count, bool)
    for span in spans:
        frames[round(span.start_s / FRAME_S) : round(span.end_s / FRAME_S)] = True
    return frames
