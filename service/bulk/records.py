"""The record of an enrolment of many people: all that is stored of it. The recordings are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from service.tenants import owner, shown

JobState = Literal["queued", "running", "succeeded", "failed"]
Outcome = Literal["waiting", "enrolled", "unchanged", "refused"]


@dataclass(frozen=True, kw_only=True)
class RecordingOutcome:
    """What became of one recording."""

    file: str  # its path in the archive
    outcome: Outcome = "waiting"
    reason: str | None = None
    feedback: str | None = None  # as POST /speakers answers it


@dataclass(frozen=True, kw_only=True)
class PersonOutcome:
    """What became of one person."""

    speaker_id: str | None  # None: erased since
    recordings: tuple[RecordingOutcome, ...]


@dataclass(frozen=True, kw_only=True)
class BulkJob:
    """One job."""

    job_id: str
    tenant: str
    process: str  # that works on it
    seen_at: datetime  # when that process last lived
    created_at: datetime
    people: tuple[PersonOutcome, ...]
    state: JobState = "queued"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None

    @property
    def over(self) -> bool:
        """Whether it has reached its final state."""
        return self.finished_at is not None

    @property
    def recordings(self) -> Iterator[RecordingOutcome]:
        """Those of all people."""
        return (recording for person in self.people for recording in person.recordings)

    def with_person(self, place: int, recordings: tuple[RecordingOutcome, ...]) -> BulkJob:
        """The same job with what became of the person at `place`. One who was erased since stays erased."""
        person = self.people[place]
        if person.speaker_id is None:
            return self
        people = (*self.people[:place], replace(person, recordings=recordings), *self.people[place + 1 :])
        return replace(self, people=people)

    def without(self, stored_id: str) -> BulkJob:
        """The same job without a speaker, given by the stored id. Paths and reasons may hold the id."""
        if owner(stored_id) != self.tenant:
            return self
        speaker_id = shown(stored_id)
        return replace(
            self,
            people=tuple(
                PersonOutcome(speaker_id=None, recordings=()) if person.speaker_id == speaker_id else person
                for person in self.people
            ),
        )


_JOB = TypeAdapter(BulkJob)


def write_job(job: BulkJob) -> str:
    """The record as JSON."""
    return _JOB.dump_json(job).decode()


def read_job(record: str | bytes) -> BulkJob | None:
    """The job of a record; None where it is damaged, or another release wrote it."""
    try:
        return _JOB.validate_json(record)
    except ValidationError:
        return None
