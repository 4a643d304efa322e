"""How reliable an enrolment is, and what the caller can do about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.speakers.records import Embedding, Speaker

NOISY_DB = 10.0  # below this, background noise shapes the voiceprint
AMPLE_SPEECH_S = 10.0  # beyond this, more speech adds little


@dataclass(frozen=True)
class Quality:
    """The quality of an enrolment, as answers give it."""

    cohesion: float | None  # [-1, 1], of the recording that fits the others least; None for a single crop
    snr_db: float | None  # of the noisiest recording
    ok: bool
    advice: str


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


def assess(speaker: Speaker, model: str, scorer: Scorer) -> Quality:
    """Quality of an enrolment under `model`. The weakest recording counts, because one spoils the mean."""
    known = [e.cohesion for e in speaker.embeddings(model) if e.cohesion is not None]
    weakest = min(known, default=None)
    snrs = [u.snr_db for u in speaker.utterances if u.snr_db is not None]
    noisiest = min(snrs, default=None)
    if not speaker.embeddings(model):
        return Quality(
            None,
            noisiest,
            ok=False,
            advice=f"Stale: there is no voiceprint under {model}. "
            f"Add recordings with POST /speakers/{speaker.speaker_id}/audio.",
        )
    problems = []
    if weakest is not None and weakest < scorer.min_cohesion:
        problems.append(
            "The recordings do not sound like one voice. Perhaps somebody else speaks in one of them. "
            "Erase the speaker, then enrol again with recordings of this person only."
        )
    if noisiest is not None and noisiest < NOISY_DB:
        problems.append("The background is loud. Record somewhere quieter or closer to the microphone.")
    advice = list(problems)
    if speaker.speech_s < AMPLE_SPEECH_S:
        advice.append(
            f"More speech makes recognition surer: add recordings up to {AMPLE_SPEECH_S:g} s of speech."
        )
    return Quality(weakest, noisiest, ok=not problems, advice=" ".join(advice) or "Good as it is.")
