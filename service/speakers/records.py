"""What the gallery keeps of a voice, as plain records."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

import numpy as np

from bundle.arrays import Float32
from bundle.bandwidth import is_narrow
from bundle.vectors import unit
from service.errors import NotFound
from service.tenants import shown


@dataclass(frozen=True, eq=False)
class Embedding:
    """One utterance under one model: what the voiceprint needs of its crops, not the crops themselves."""

    mean: Float32  # (dim,) mean of the utterance's unit crop embeddings, not rescaled
    n_crops: int
    cohesion: float | None  # mean centred cosine of each crop to the enrolment's others; None: lone crop
    map_error: float | None = None  # mean 1 − cosine of the map it came through; None: made from audio


@dataclass(frozen=True)
class Measures:
    """What was measured of a recording when it came. An older release measured less."""

    second_voice: tuple[float, float] | None = None  # start_s, end_s; None: one voice, as far as is known
    bandwidth_hz: int | None = None  # up to which the voice stands out; None: unknown
    repeats: tuple[float, float] | None = None  # start_s, end_s of sound that was heard before; None: none
    fingerprint: bytes = b""  # sparse, little-endian uint32; service/audio/fingerprint.py

    def to_json(self) -> str:
        """JSON that holds what is known."""
        fields = vars(self) | {"fingerprint": base64.b64encode(self.fingerprint).decode()}
        return json.dumps({name: value for name, value in fields.items() if value})

    @classmethod
    def from_json(cls, text: str) -> Measures:
        """Reads `to_json`, also of a release that measures more."""
        stored = json.loads(text)
        return cls(
            second_voice=_span(stored.get("second_voice")),
            bandwidth_hz=stored.get("bandwidth_hz"),
            repeats=_span(stored.get("repeats")),
            fingerprint=base64.b64decode(stored.get("fingerprint", "")),
        )


def _span(stored: list[float] | None) -> tuple[float, float] | None:
    return None if stored is None else (stored[0], stored[1])


@dataclass(frozen=True, eq=False)
class NewUtterance:
    """One recording about to be stored."""

    speech_s: float  # seconds of net speech
    snr_db: float | None  # None where it could not be estimated
    model: str  # "<name>/<version>" that made the embedding
    embedding: Embedding
    audio: bytes | None = field(default=None, repr=False)  # retained recording, Ogg Opus, 16 kHz mono
    measures: Measures = Measures()
    created_at: datetime | None = None  # None: now


@dataclass(frozen=True, eq=False)
class Utterance:
    """One stored recording, with its embedding under every model that has seen it."""

    utterance_id: int  # of all speakers of the store
    number: int  # from 1, as the speaker's owner knows it; stays when another recording is removed
    speech_s: float  # seconds of net speech
    snr_db: float | None
    retained: bool  # whether its audio is stored, so that another model can embed it
    created_at: datetime
    embeddings: Mapping[str, Embedding]  # model → embedding, in the order they were made
    measures: Measures = Measures()


MAX_CONSENT_CHARS = 4000


@dataclass(frozen=True)
class Consent:
    """What a person agreed to, and when."""

    text: str
    given_at: datetime

    def to_json(self) -> str:
        """JSON, for stores."""
        return json.dumps({"text": self.text, "given_at": self.given_at.isoformat()})

    @classmethod
    def from_json(cls, text: str | None) -> Consent | None:
        """Reads `to_json`; None for none."""
        if text is None:
            return None
        stored = json.loads(text)
        return cls(stored["text"], datetime.fromisoformat(stored["given_at"]))


@dataclass(frozen=True, eq=False)
class Speaker:
    """An enrolled voice."""

    speaker_id: str
    name: str | None
    metadata: Mapping[str, Any]
    created_at: datetime
    utterances: tuple[Utterance, ...]  # oldest first, never empty
    collections: tuple[str, ...] = ()
    consent: Consent | None = None

    def utterance(self, number: int) -> Utterance:
        """The recording with this number. Raises NotFound."""
        for utterance in self.utterances:
            if utterance.number == number:
                return utterance
        raise NotFound(
            f"Speaker {shown(self.speaker_id)!r} has no recording {number}. "
            f"GET /speakers/{shown(self.speaker_id)}/recordings lists them."
        )

    @property
    def speech_s(self) -> float:
        """Seconds of net speech over all utterances."""
        total = sum(utterance.speech_s for utterance in self.utterances)
        return round(total, 6)  # 19.2, not 19.200000000000003

    @property
    def narrow(self) -> bool:
        """Whether all recordings came over narrow lines, such as a telephone's, as far as is known."""
        known = [u.measures.bandwidth_hz for u in self.utterances if u.measures.bandwidth_hz is not None]
        return is_narrow(max(known, default=None))

    def embeddings(self, model: str) -> list[Embedding]:
        """The utterances' embeddings under `model`; empty when the speaker is stale under it."""
        return [u.embeddings[model] for u in self.utterances if model in u.embeddings]

    def newest_model(self, *, prefer: str) -> str:
        """`prefer` where there is a voiceprint under it, else the last one to embed the newest recording."""
        newest = list(self.utterances[-1].embeddings)
        return prefer if self.embeddings(prefer) else newest[-1]

    def map_error(self, model: str) -> float | None:
        """The largest error of a map behind the voiceprint under `model`; None: all of it is from audio."""
        return max((e.map_error for e in self.embeddings(model) if e.map_error is not None), default=None)

    def voiceprint(self, model: str) -> Float32 | None:
        """Unit voiceprint (dim,) under `model`, or None when the speaker is stale under it."""
        embeddings = self.embeddings(model)
        return pool(embeddings) if embeddings else None


class Changes(TypedDict, total=False):
    """What is to change of a speaker."""

    name: str | None
    metadata: Mapping[str, object]
    collections: Sequence[str]


@dataclass(frozen=True)
class Erasure:
    """An erased speaker or recording, remembered until nothing of it is left on a disk."""

    erasure_id: str
    requested_at: datetime
    tenant: str
    speaker_id: str | None  # None once jobs are clean: by then only files of the store hold traces


@dataclass(frozen=True, eq=False)
class Page:
    """One page of a listing in the order of speaker ids."""

    speakers: tuple[Speaker, ...]
    next_after: str | None  # the id to continue after; None on the last page


@dataclass(frozen=True, eq=False)
class Voiceprints:
    """Voiceprints under one model; row i of the matrix belongs to `speaker_ids[i]`."""

    speaker_ids: tuple[str, ...]
    matrix: Float32  # (speakers, dim), unit rows
    names: Mapping[str, str | None]  # of these speakers by id, and of stale ones, who have no row


def pool(embeddings: Sequence[Embedding]) -> Float32:
    """Mean over all crops of all utterances, scaled to unit length (dim,).

    Source: docs/architecture.md, "From crops to a score", step 2.
    """
    total = np.sum([e.mean * np.float32(e.n_crops) for e in embeddings], axis=0)
    return unit(np.asarray(total, np.float32))
