"""From embedded recordings to records of the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.audio import encode_opus
from service.audio.decoder import EmbeddedRecording
from service.errors import PoorEnrolment
from service.speakers.copies import packed, repeats
from service.speakers.mixture import second_voice
from service.speakers.quality import Issue, assess, centred_sum, cohesion, stored_sum
from service.speakers.records import Embedding, Measures, NewUtterance, Speaker, Utterance


def embed_recordings(
    recordings: Sequence[Float32], scorer: Scorer, enrolled: Sequence[Embedding] = ()
) -> list[Embedding]:
    """The embeddings to store for recordings, each given as unit crop embeddings (crops, dim).

    `enrolled` are the enrolment's other recordings under the same model. They count for the cohesion.
    """
    sums = [centred_sum(crops, scorer) for crops in recordings]
    sums += [stored_sum(embedding, scorer) for embedding in enrolled]
    stored: list[Embedding] = []
    for i, crops in enumerate(recordings):
        others = sums[:i] + sums[i + 1 :]
        rest = np.asarray(np.sum(others, axis=0), np.float32) if others else None
        stored.append(Embedding(crops.mean(axis=0), len(crops), cohesion(crops, scorer, rest)))
    return stored


def new_utterances(
    recordings: Sequence[EmbeddedRecording],
    model: str,
    scorer: Scorer,
    *,
    retain_audio: bool,
    speaker: Speaker | None = None,
) -> list[NewUtterance]:
    """Recordings ready for the gallery; added to `speaker`, if given. Blocks for milliseconds."""
    enrolled = speaker.embeddings(model) if speaker else []
    embeddings = embed_recordings([recording.embeddings for recording in recordings], scorer, enrolled)
    return [
        NewUtterance(
            speech_s=recording.prepared.crops.speech_s,
            snr_db=recording.prepared.audio.snr_db,
            model=model,
            embedding=embedding,
            measures=Measures(
                second_voice=second_voice(recording.embeddings, recording.prepared.crops.spans, scorer),
                bandwidth_hz=recording.prepared.audio.bandwidth_hz,
                repeats=repeats(recording.prepared.fingerprint),
                fingerprint=packed(recording.prepared.fingerprint),
            ),
            audio=encode_opus(recording.prepared.decoded.samples) if retain_audio else None,
        )
        for recording, embedding in zip(recordings, embeddings, strict=True)
    ]


def require_faultless(
    utterances: Sequence[NewUtterance],
    model: str,
    scorer: Scorer,
    *,
    speaker_id: str,
    enrolled: Sequence[Utterance] = (),
    copies: Sequence[Issue] = (),
) -> None:
    """Refuses recordings that would give an enrolment issues, before anything is stored.

    Raises:
        PoorEnrolment: with the issues.
    """
    speaker = as_enrolled(speaker_id, utterances, enrolled)
    issues = assess(speaker, model, scorer, copies).issues
    if issues:
        raise PoorEnrolment([vars(issue) for issue in issues])


def as_enrolled(
    speaker_id: str, utterances: Sequence[NewUtterance], enrolled: Sequence[Utterance] = ()
) -> Speaker:
    """The speaker that a gallery would hold once these recordings were stored behind the `enrolled` ones."""
    now = datetime.now(UTC)
    coming = tuple(
        Utterance(
            0,
            number,
            new.speech_s,
            new.snr_db,
            new.audio is not None,
            now,
            {new.model: new.embedding},
            new.measures,
        )
        for number, new in enumerate(utterances, start=1 + max((u.number for u in enrolled), default=0))
    )
    return Speaker(speaker_id, None, {}, now, (*enrolled, *coming))
