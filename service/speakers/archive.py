"""The voices of a gallery as lines of JSON, to keep them elsewhere or to move them to another service.

The first line is a header, each line after it a speaker. The last line says how many there were: so it is
noticed if a file was cut off.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    ValidationError,
)

from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from service.errors import BadRequest
from service.speakers.collections import COLLECTION, MOST_COLLECTIONS
from service.speakers.records import MAX_CONSENT_CHARS, Consent, Embedding, Measures, NewUtterance, Speaker
from service.speakers.thresholds import PointName, StoredThreshold
from service.tenants import shown

MAX_METADATA_CHARS = 16_384
_LONGEST = 1.001  # a mean of unit vectors, rounded
SPEAKER_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise ValueError(f"must be base64: {error}") from None


Base64 = Annotated[
    bytes, PlainValidator(_bytes), PlainSerializer(lambda data: base64.b64encode(data).decode())
]


def _require_json(metadata: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(metadata, allow_nan=False, ensure_ascii=False)) > MAX_METADATA_CHARS:
        raise ValueError(f"must be at most {MAX_METADATA_CHARS} characters of JSON")
    return metadata


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ArchivedThreshold(_Line):
    """The stored threshold of a collection under the header's model."""

    collection: str = Field(pattern=COLLECTION)
    threshold: float = Field(ge=-2, le=2)
    point: PointName
    false_accept_rate: float = Field(ge=0, le=1)
    false_reject_rate: float = Field(ge=0, le=1)
    own_trials: int = Field(ge=0)
    stranger_trials: int = Field(ge=0)
    stored_at: AwareDatetime


class ArchiveHeader(_Line):
    """The first line."""

    format: Literal["twofold-gallery"] = "twofold-gallery"
    version: Literal[1] = 1
    service: str = Field(description="The release that wrote it.")
    model: str = Field(description="The model of the voiceprints, as name/version.")
    model_sha256: str
    exported_at: AwareDatetime
    thresholds: list[ArchivedThreshold] | None = Field(
        None, description="Left out where there are none, so that older releases can read the archive."
    )

    @property
    def stored_thresholds(self) -> list[StoredThreshold]:
        """The thresholds as a gallery stores them."""
        return [StoredThreshold(**dict(line), model=self.model) for line in self.thresholds or ()]


class ArchivedEmbedding(_Line):
    """A recording under the header's model."""

    mean: Base64 = Field(description="float32, little-endian.")
    n_crops: int = Field(ge=1)
    cohesion: float | None = Field(ge=-1.001, le=1.001)
    map_error: float | None


class ArchivedMeasures(BaseModel):
    """What was measured of a recording. What another release measures is left out."""

    second_voice: tuple[float, float] | None = None
    bandwidth_hz: int | None = None


class ArchivedUtterance(_Line):
    """A recording."""

    speech_s: float = Field(ge=0)
    snr_db: float | None
    created_at: AwareDatetime
    measures: ArchivedMeasures
    embedding: ArchivedEmbedding | None = Field(description="Null: of an older model only.")
    audio: Base64 | None = Field(description="The retained recording, Ogg Opus.")


class ArchivedConsent(_Line):
    """What the person agreed to, and when."""

    text: str = Field(min_length=1, max_length=MAX_CONSENT_CHARS)
    given_at: AwareDatetime


class ArchivedSpeaker(_Line):
    """A line in the middle."""

    speaker_id: str = Field(pattern=SPEAKER_ID)
    name: str | None = Field(max_length=200)
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_require_json)]
    collections: list[Annotated[str, Field(pattern=COLLECTION)]] = Field(
        default_factory=list, max_length=MOST_COLLECTIONS
    )
    consent: ArchivedConsent | None = None
    utterances: list[ArchivedUtterance] = Field(min_length=1)

    @property
    def given_consent(self) -> Consent | None:
        """The consent as a gallery stores it."""
        return None if self.consent is None else Consent(self.consent.text, self.consent.given_at)

    @property
    def has_all_embeddings(self) -> bool:
        """Whether nothing has to be embedded anew under the header's model."""
        return all(utterance.embedding for utterance in self.utterances)

    @property
    def has_all_audio(self) -> bool:
        """Whether every recording can be embedded anew."""
        return all(utterance.audio for utterance in self.utterances)


class ArchiveEnd(_Line):
    """The last line."""

    end: int = Field(description="Number of speakers.")
    left_out: list[str] = Field(description="Ids of speakers of an older model, without retained audio.")


L = TypeVar("L", bound=_Line)


@dataclass(frozen=True)
class Archive:
    """A whole archive, or a part of one."""

    header: ArchiveHeader
    speakers: Sequence[ArchivedSpeaker]


def header_of(bundle: VoiceBundle, service: str, thresholds: Sequence[StoredThreshold]) -> ArchiveHeader:
    """The first line of an archive of voices under `bundle`, with those of the thresholds that count."""
    counting = [
        ArchivedThreshold(**{name: value for name, value in vars(stored).items() if name != "model"})
        for stored in thresholds
        if stored.model == bundle.id
    ]
    return ArchiveHeader(
        service=service,
        model=bundle.id,
        model_sha256=bundle.sha256,
        exported_at=datetime.now(UTC),
        thresholds=counting or None,
    )


def archived(speaker: Speaker, model: str, audio: Mapping[int, bytes | None]) -> ArchivedSpeaker | None:
    """A speaker's line; None if it holds nothing to recognise the voice by. `audio` is by utterance id."""
    utterances = [
        ArchivedUtterance(
            speech_s=utterance.speech_s,
            snr_db=utterance.snr_db,
            created_at=utterance.created_at,
            measures=ArchivedMeasures.model_validate(vars(utterance.measures)),
            embedding=_archived_embedding(utterance.embeddings.get(model)),
            audio=audio.get(utterance.utterance_id),
        )
        for utterance in speaker.utterances
    ]
    utterances = [utterance for utterance in utterances if utterance.embedding or utterance.audio]
    if not utterances:
        return None
    return ArchivedSpeaker(
        speaker_id=shown(speaker.speaker_id),
        name=speaker.name,
        metadata=dict(speaker.metadata),
        collections=list(speaker.collections),
        consent=ArchivedConsent(**vars(speaker.consent)) if speaker.consent else None,
        utterances=utterances,
    )


def restored(speaker: ArchivedSpeaker, bundle: VoiceBundle) -> list[NewUtterance]:
    """The recordings of a line with all embeddings under `bundle`. Raises BadRequest for a damaged one."""
    utterances = []
    for utterance in speaker.utterances:
        assert utterance.embedding is not None  # the caller has looked
        mean = _vector(utterance.embedding.mean, bundle.embedding_dim)
        if mean is None:
            raise BadRequest(f"Speaker {speaker.speaker_id!r}: an embedding is none of {bundle.id}.")
        utterances.append(
            NewUtterance(
                speech_s=utterance.speech_s,
                snr_db=utterance.snr_db,
                model=bundle.id,
                embedding=Embedding(
                    mean,
                    utterance.embedding.n_crops,
                    utterance.embedding.cohesion,
                    utterance.embedding.map_error,
                ),
                audio=utterance.audio,
                measures=Measures(**utterance.measures.model_dump()),
                created_at=utterance.created_at,
            )
        )
    return utterances


def read_archive(body: bytes) -> Archive:
    """Reads lines of JSON. Raises BadRequest, which names the line."""
    lines = body.splitlines()
    if len(lines) < 2:
        raise BadRequest("This is no gallery: it needs a header, a line for each speaker, and a last line.")
    header = _read(ArchiveHeader, lines[0], 1)
    try:
        end = ArchiveEnd.model_validate_json(lines[-1])
    except ValidationError:
        raise BadRequest("The gallery was cut off: its last line is missing. Export it again.") from None
    speakers = [_read(ArchivedSpeaker, line, number) for number, line in enumerate(lines[1:-1], start=2)]
    if end.end != len(speakers):
        raise BadRequest(
            f"The gallery should have {end.end} speakers, and has {len(speakers)}. Export it again."
        )
    return Archive(header, speakers)


def _read(kind: type[L], line: bytes, number: int) -> L:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadRequest(f"Line {number} of the gallery: {where}: {first['msg']}") from None


def _archived_embedding(embedding: Embedding | None) -> ArchivedEmbedding | None:
    if embedding is None:
        return None
    return ArchivedEmbedding(
        mean=embedding.mean.astype("<f4").tobytes(),
        n_crops=embedding.n_crops,
        cohesion=embedding.cohesion,
        map_error=embedding.map_error,
    )


def _vector(data: bytes, dim: int) -> Float32 | None:
    """The mean of unit vectors (dim,); None for what is none."""
    if len(data) != 4 * dim:
        return None
    mean = np.frombuffer(data, "<f4").astype(np.float32)
    return mean if np.isfinite(mean).all() and np.linalg.norm(mean) < _LONGEST else None
