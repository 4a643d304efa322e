"""How reliable an enrolment is, and what the caller can do about it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.diarization.clustering import LikelihoodRatio
from service.speakers.mixture import log_odds
from service.speakers.records import Embedding, Speaker, Utterance, pool

NOISY_DB = 10.0  # below this, background noise shapes the voiceprint
#: Below this probability, a recording is another voice than the others. Chosen as MIXED_PROBABILITY was. It
#: is higher: one pair is compared here, and there the least likely of many.
OTHER_PROBABILITY = 0.8
AMPLE_SPEECH_S = 10.0  # beyond this, more speech adds little
_COMPARABLE_S = 3.0  # of speech; a shorter recording says too little of a voice

_NOT_ONE_VOICE = (
    "The recordings do not sound like one voice. Perhaps somebody else speaks in one of them. "
    "Erase the speaker, then enrol again with recordings of this person only."
)
_NOISY = "The background is loud. Record somewhere quieter or closer to the microphone."
_TOO_SHORT = f"More speech makes recognition surer: add recordings up to {AMPLE_SPEECH_S:g} s of speech."


@dataclass(frozen=True)
class Issue:
    """What makes an enrolment less reliable."""

    kind: str  # two_voices, other_voice, noisy, repeated, same_recording or too_short
    advice: str
    recording: int | None = None  # its number; None: the whole enrolment
    start_s: float | None = None  # None: all of the recording
    end_s: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far an enrolment is on its way to ample speech."""

    enrolled_percent: int  # 0 to 100
    remaining_speech_s: float

    @classmethod
    def of(cls, speech_s: float) -> Progress:
        """After so many seconds of speech."""
        share = min(speech_s / AMPLE_SPEECH_S, 1.0)
        return cls(math.floor(100 * share), round(max(AMPLE_SPEECH_S - speech_s, 0.0), 2))


@dataclass(frozen=True)
class Quality:
    """The quality of an enrolment, as answers give it."""

    cohesion: float | None  # [-1, 1], of the recording that fits the others least; None for a single crop
    snr_db: float | None  # of the noisiest recording
    ok: bool
    advice: str
    issues: tuple[Issue, ...] = ()


def centred_sum(crops: Float32, scorer: Scorer) -> Float32:
    """Sum (dim,) of the centred crop embeddings (crops, dim). `cohesion` needs it of other recordings."""
    return np.asarray(scorer.centred(crops).sum(axis=0), np.float32)


def stored_sum(embedding: Embedding, scorer: Scorer) -> Float32:
    """`centred_sum` of a stored recording, with all its crops at their mean."""
    return scorer.centred(embedding.mean) * np.float32(embedding.n_crops)


def cohesion(crops: Float32, scorer: Scorer, others: Float32 | None = None) -> float | None:
    """Mean centred cosine of each crop (crops, dim) to the mean of all other crops of the enrolment.

    `others` is the sum of `centred_sum` over its other recordings. None if there is no other crop.
    """
    if len(crops) == 1 and others is None:
        return None
    centred = scorer.centred(crops)
    total = centred.sum(axis=0) if others is None else centred.sum(axis=0) + others
    rest = total - centred  # (crops, dim): everything but the crop itself
    return float(np.clip(np.mean(np.sum(centred * unit(rest), axis=1)), -1, 1))


def other_voices(speaker: Speaker, model: str, scorer: Scorer) -> list[int]:
    """Numbers of the recordings that are another voice than the others of the enrolment.

    The least likely one is taken out first, and the rest compared anew. Of two, it is the later.
    """
    others: list[int] = []
    while (odd := odd_recording(speaker, model, scorer, without=others)) is not None:
        number, odds = odd
        if odds >= log_odds(OTHER_PROBABILITY):
            break
        others.append(number)
    return sorted(others)


def odd_recording(
    speaker: Speaker, model: str, scorer: Scorer, *, without: Collection[int] = ()
) -> tuple[int, float] | None:
    """The recording that is least the voice of the others, and its log odds; None: none can be compared.

    `without` are recordings that are left out.
    """
    ratio = LikelihoodRatio(scorer)
    compared = {
        utterance.number: utterance
        for utterance in speaker.utterances
        if model in utterance.embeddings
        and utterance.speech_s >= _COMPARABLE_S
        and utterance.number not in without
    }
    if len(compared) < 2:
        return None
    odds = {number: _odds(number, compared, model, scorer, ratio) for number in compared}
    worst = min(odds, key=lambda number: (round(odds[number], 6), -number))
    return worst, odds[worst]


def _odds(
    number: int, compared: dict[int, Utterance], model: str, scorer: Scorer, ratio: LikelihoodRatio
) -> float:
    """Log-likelihood ratio that a recording is the voice of the other ones."""
    rest = [utterance for other, utterance in compared.items() if other != number]
    score = scorer.score(
        unit(compared[number].embeddings[model].mean), pool([u.embeddings[model] for u in rest])
    )
    return float(ratio(np.array(score), compared[number].speech_s, sum(u.speech_s for u in rest)))


def assess(speaker: Speaker, model: str, scorer: Scorer, copies: Sequence[Issue] = ()) -> Quality:
    """Quality of an enrolment under `model`. The weakest recording counts, because one spoils the mean.

    `copies` are the issues of recordings that were not added, as they are there already.
    """
    weakest = min((e.cohesion for e in speaker.embeddings(model) if e.cohesion is not None), default=None)
    noisiest = min((u.snr_db for u in speaker.utterances if u.snr_db is not None), default=None)
    if not speaker.embeddings(model):
        return Quality(
            None,
            noisiest,
            ok=False,
            advice=f"Stale: there is no voiceprint under {model}. "
            f"Add recordings with POST /speakers/{speaker.speaker_id}/audio.",
        )
    issues = _of_voices(speaker, model, scorer)
    if not issues and weakest is not None and weakest < scorer.min_cohesion:
        issues.append(Issue("two_voices", _NOT_ONE_VOICE))
    issues += [
        Issue("noisy", _NOISY, utterance.number)
        for utterance in speaker.utterances
        if utterance.snr_db is not None and utterance.snr_db < NOISY_DB
    ]
    ok = not issues
    issues += [
        Issue("repeated", _repeated(utterance.number, *stretch), utterance.number, *stretch)
        for utterance in speaker.utterances
        if (stretch := utterance.measures.repeats) is not None
    ]
    issues += copies
    if speaker.speech_s < AMPLE_SPEECH_S:
        issues.append(Issue("too_short", _TOO_SHORT))
    advice = " ".join(dict.fromkeys(issue.advice for issue in issues))
    return Quality(weakest, noisiest, ok, advice or "Good as it is.", tuple(issues))


def _of_voices(speaker: Speaker, model: str, scorer: Scorer) -> list[Issue]:
    """Recordings of two voices, and of another voice than the others."""
    issues = [
        Issue("two_voices", _two_voices(utterance.number, *stretch), utterance.number, *stretch)
        for utterance in speaker.utterances
        if (stretch := utterance.measures.second_voice) is not None
    ]
    issues += [
        Issue("other_voice", _other_voice(number), number) for number in other_voices(speaker, model, scorer)
    ]
    return issues


def _two_voices(recording: int, start_s: float, end_s: float) -> str:
    return (
        f"In recording {recording}, another voice speaks from {start_s:.1f} to {end_s:.1f} s than in the "
        "rest of it. Remove the recording, and enrol the part of one person with start_s and end_s; "
        "POST /diarize finds it."
    )


def _repeated(recording: int, start_s: float, end_s: float) -> str:
    return (
        f"From {start_s:.1f} to {end_s:.1f} s, recording {recording} repeats sound that was in it before, "
        "which says nothing new of the voice. Add other speech."
    )


def _other_voice(recording: int) -> str:
    return (
        f"Recording {recording} does not sound like the voice of the others. If somebody else speaks in it, "
        f"remove it with DELETE /speakers/ID/recordings/{recording}."
    )
