"""The protocol of stores of enrolled voices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from service.errors import Conflict, NotFound, NotReady, Overloaded
from service.speakers.records import (
    Changes,
    Consent,
    Embedding,
    Erasure,
    NewUtterance,
    Page,
    Speaker,
    Voiceprints,
)
from service.speakers.thresholds import StoredThreshold
from service.tenants import EVERYBODY, IdRange, Tenant, shown

_FULL_S = 3600  # waiting helps little: no client should ask again at once


class Gallery(Protocol):
    """Stores enrolled voices. Every method may be called from any thread, and blocks until it is done.

    A write is durable once its call returns. A write that raised or was killed has changed nothing.
    All methods raise `StoreUnavailable` while the store is busy, full or out of reach.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes write to it too."""
        ...

    def enrol(
        self,
        speaker_id: str,
        *,
        name: str | None,
        metadata: Mapping[str, object],
        utterances: Sequence[NewUtterance],
        collections: Sequence[str] = (),
        consent: Consent | None = None,
        most: int = 0,
    ) -> Speaker:
        """Stores a new speaker with at least one utterance. Raises `Conflict` if the id is taken.

        The speaker is as old as the first utterance. Raises `Overloaded` if its tenant has `most` speakers
        already; 0: no limit.

        Raises `NotReady`, as `add_utterances` does, if another replica has switched to a model that made
        none of the embeddings.
        """
        ...

    def add_utterances(self, speaker_id: str, utterances: Sequence[NewUtterance]) -> Speaker:
        """Adds recordings to an enrolment. Raises `NotFound`."""
        ...

    def add_embeddings(self, speaker_id: str, model: str, embeddings: Mapping[int, Embedding]) -> bool:
        """Stores the embeddings (by utterance id) of one more model, all or none.

        Returns False and stores nothing if the speaker was erased in the meantime.
        """
        ...

    def get(self, speaker_id: str) -> Speaker:
        """The speaker. Raises `NotFound`."""
        ...

    def list(self, *, limit: int, after: str | None = None, within: IdRange = EVERYBODY) -> Page:
        """At most `limit` speakers whose ids sort after `after`, in the order of their ids."""
        ...

    def change(self, speaker_id: str, changes: Changes) -> Speaker:
        """Changes what the speaker is called, or what is stored beside. Raises `NotFound`."""
        ...

    def audio(self, utterance_id: int) -> bytes | None:
        """The retained recording, or None if there is none, or none any more."""
        ...

    def delete(self, speaker_id: str) -> None:
        """Erases the speaker, all embeddings and all retained audio. Raises `NotFound`.

        Traces are left in jobs and in files of the store. The same step stores an `Erasure`, so that they
        are not forgotten.
        """
        ...

    def remove_utterance(self, speaker_id: str, number: int) -> Speaker:
        """Erases one recording of a speaker, as `delete` does. Raises `NotFound`.

        Raises `Conflict` for the only one: a speaker has at least one recording.
        """
        ...

    def erasures(self) -> Sequence[Erasure]:
        """Erasures that are not finished, oldest first."""
        ...

    def jobs_are_clean(self, erasure_id: str) -> None:
        """Notes that no job holds anything of the speaker, whose id is then forgotten too."""
        ...

    def clean(self) -> Mapping[str, str]:
        """Removes traces from the files of the store, and ends the erasures that are finished by that.

        Does as much as can be done at once, and may be called at any time. Returns what is left: a place,
        and why it is not clean yet.
        """
        ...

    def voiceprints(self, model: str) -> Iterator[Voiceprints]:
        """All voiceprints under `model`, in parts of some thousands and in any order.

        Each enrolled speaker is in one part: stale ones with a name, but no row. A caller that needs the
        state of one moment keeps others from writing meanwhile.
        """
        ...

    def collections(self) -> Mapping[str, Sequence[str]]:
        """The collections of each speaker that is in any, by stored id."""
        ...

    def narrow(self) -> Collection[str]:
        """The stored ids of all speakers who are `Speaker.narrow`."""
        ...

    def thresholds(self) -> Sequence[tuple[str, StoredThreshold]]:
        """All stored thresholds, each with the name of its tenant."""
        ...

    def store_threshold(self, tenant: Tenant, threshold: StoredThreshold) -> None:
        """Stores the threshold of a collection, in place of one that is there."""
        ...

    def remove_threshold(self, tenant: Tenant, collection: str) -> None:
        """Removes the threshold of a collection. Raises `NotFound`."""
        ...

    def models(self) -> Mapping[str, int]:
        """How many speakers have a voiceprint under each model."""
        ...

    def count(self, within: IdRange = EVERYBODY) -> int:
        """Number of enrolled speakers, stale ones included."""
        ...

    def check(self) -> Sequence[str]:
        """What an operator should know of the store, in sentences.

        Raises `StoreUnavailable` where nothing can be stored now, `DiskFull` among them.
        """
        ...

    def close(self) -> None:
        """Closes the store. Later calls raise `StoreUnavailable`."""
        ...


def unknown(speaker_id: str) -> NotFound:
    """The error of a gallery or index without this speaker."""
    return NotFound(
        f"No speaker {shown(speaker_id)!r} is enrolled. GET /speakers lists the enrolled speakers."
    )


def taken(speaker_id: str) -> Conflict:
    """The error of an enrolment under an id that is taken."""
    speaker_id = shown(speaker_id)
    return Conflict(
        f"Speaker {speaker_id!r} is already enrolled. Add recordings with POST "
        f"/speakers/{speaker_id}/audio, or erase the speaker first.",
    )


def only_recording(speaker_id: str) -> Conflict:
    """The error of removing the only recording of a speaker."""
    speaker_id = shown(speaker_id)
    return Conflict(
        f"It is the only recording of speaker {speaker_id!r}. Add another first, or erase the speaker with "
        f"DELETE /speakers/{speaker_id}."
    )


def full(most: int) -> Overloaded:
    """The error of an enrolment where the tenant has all the speakers that it may have."""
    return Overloaded(
        f"You have {most} enrolled speakers, the limit (TWOFOLD_MAX_SPEAKERS). Erase a speaker first, or ask "
        "the operator of the service for more.",
        retry_after_s=_FULL_S,
    )


def switched() -> NotReady:
    """The error of a write that began under a model that no longer serves."""
    return NotReady(
        "The model was switched during this request. Nothing was stored; send the request again.",
        retry_after_s=1,
    )
