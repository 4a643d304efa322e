"""Works bulk enrolments off: person by person, while the archive is in memory alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from service.bulk.archive import Archive
from service.bulk.records import BulkJob, JobState, PersonOutcome, RecordingOutcome
from service.bulk.store import BulkStore
from service.errors import NotFound, Overloaded, TwofoldError
from service.stores.threads import StoreThreads
from service.tenants import Tenant, owner, shown

#: Enrols a person from files of the archive, given by their paths and bytes, and says what became of each.
Enrol = Callable[[str, Sequence[tuple[str, bytes]]], Awaitable[tuple[RecordingOutcome, ...]]]

_MOST_JOBS = 4  # unfinished, of one client
_BEAT_S = 5.0
_TIDY_S = 60.0
_ATTEMPTS, _SOON_S = 12, 5
_DEAD_S = 30.0  # a process that was not seen for so long has ended
_RESTARTED = (
    "The service was restarted, and the archive was in memory alone. Send it again: whoever is enrolled "
    "stays as they are."
)
_FAILED = "The service failed. Its log has the cause."
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class Work:
    """What a job has to do."""

    archive: Archive
    enrol: Enrol
    erase: Callable[[str], Awaitable[None]]  # a stored id: for who was erased while being enrolled
    require_budget: Callable[[], None]  # raises Overloaded while the client has used up its rate
    client: str
    tenant: Tenant
    erased: set[str] = field(default_factory=set)  # ids of speakers who were erased at this process meanwhile


class BulkDesk:
    """Takes jobs and shows them. Belongs to one event loop.

    The record is what counts: an erasure takes the speaker out of it, and a deletion removes it. The work
    looks at it before and after each person.
    """

    def __init__(
        self, store: BulkStore, threads: StoreThreads, *, max_memory_bytes: int, keep_s: float
    ) -> None:
        """`max_memory_bytes` bounds the archives that wait. Records are removed `keep_s` after their end."""
        self.store = store
        self._threads = threads
        self._max_memory_bytes = max_memory_bytes
        self._keep = timedelta(seconds=keep_s)
        self._work: dict[str, Work] = {}  # of this process, unfinished
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._steps: set[asyncio.Task[bool]] = set()  # people who are being enrolled
        self._turn = asyncio.Lock()
        self._process = secrets.token_hex(8)

    async def submit(self, work: Work) -> BulkJob:
        """Stores a job and begins it. Raises Overloaded and StoreUnavailable."""
        if sum(other.client == work.client for other in self._work.values()) >= _MOST_JOBS:
            raise Overloaded(
                f"You have {_MOST_JOBS} unfinished bulk enrolments, the limit. Wait for one, or end one with "
                "DELETE /enrolments/{job_id}.",
                retry_after_s=30,
            )
        if sum(other.archive.size for other in (*self._work.values(), work)) > self._max_memory_bytes:
            raise Overloaded(
                f"The archives that wait fill {self._max_memory_bytes} bytes "
                "(TWOFOLD_MAX_UPLOAD_MEMORY_BYTES). Try again later.",
                retry_after_s=30,
            )
        now = datetime.now(UTC)
        job = BulkJob(
            job_id=secrets.token_hex(16),
            tenant=work.tenant.name,
            process=self._process,
            seen_at=now,
            created_at=now,
            people=tuple(
                PersonOutcome(
                    speaker_id=speaker_id, recordings=tuple(RecordingOutcome(file=file) for file in files)
                )
                for speaker_id, files in work.archive.people.items()
            ),
        )
        self._work[job.job_id] = work  # first: others may be submitted meanwhile
        try:
            await self._threads.run(self.store.add, job)
        except BaseException:
            del self._work[job.job_id]
            raise
        self._tasks[job.job_id] = asyncio.create_task(self._run(job, work))
        return job

    async def get(self, job_id: str, tenant: Tenant) -> BulkJob:
        """The job, if it is the tenant's. Raises NotFound, StoreUnavailable."""
        await self._threads.run(self._tidy)
        job = await self._threads.run(self.store.get, job_id)
        if job is None or job.tenant != tenant.name:
            raise NotFound(
                f"There is no bulk enrolment {job_id!r}. Reports are kept for "
                f"{self._keep.total_seconds():.0f} s (TWOFOLD_BACKGROUND_KEEP_S). GET /speakers lists who is "
                "enrolled."
            )
        return job

    async def remove(self, job_id: str, tenant: Tenant) -> None:
        """Ends a job, and forgets what became of it. Raises what `get` raises.

        Whoever is enrolled stays, and so does the one who is being enrolled.
        """
        await self.get(job_id, tenant)
        await self._threads.run(self.store.remove, job_id)
        if (task := self._tasks.get(job_id)) is not None:
            task.cancel()

    async def forget(self, stored_id: str) -> bool:
        """Takes a speaker out of all jobs, so that none enrols the speaker any more.

        Returns whether one was still to do so. Raises StoreUnavailable.
        """

        def work() -> bool:
            waiting = self.store.forget(stored_id)
            if waiting:
                self.store.clean()
            return waiting

        for unfinished in self._work.values():
            if unfinished.tenant.name == owner(stored_id):
                unfinished.erased.add(shown(stored_id))
        return await self._threads.run(work)

    async def tend(self) -> None:
        """Removes old reports, and says of cut jobs that they are, until it is cancelled."""
        while True:
            with suppress(TwofoldError):  # the store may be away for a while
                await self._threads.run(self._tidy)
            await asyncio.sleep(_TIDY_S)

    async def aclose(self) -> None:
        """Ends all jobs."""
        tasks = [*self._tasks.values(), *self._steps]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_dead(self, job: BulkJob) -> bool:
        """Whether the process that worked on the job has ended before it."""
        if job.over or job.process == self._process:
            return False
        unseen_s = abs((datetime.now(UTC) - job.seen_at).total_seconds())
        return not self.store.shared or unseen_s > _DEAD_S

    def _tidy(self) -> None:
        oldest = datetime.now(UTC) - self._keep
        for job in self.store.jobs():
            if self._is_dead(job):
                self.store.update(job.job_id, _restarted)
            elif job.finished_at is not None and job.finished_at < oldest:
                self.store.remove(job.job_id)

    async def _run(self, job: BulkJob, work: Work) -> None:
        beat = asyncio.create_task(self._beat(job.job_id))
        try:
            for place, speaker_id in enumerate(work.archive.people):
                await _budget(work)
                async with self._turn:  # of this person: a small archive need not wait for a large one
                    step = asyncio.create_task(self._next(job.job_id, place, speaker_id, work))
                    self._steps.add(step)
                    step.add_done_callback(self._steps.discard)
                    if not await asyncio.shield(step):  # a write that is cut off may be made all the same
                        return
            await self._change(job.job_id, lambda job: _ended(job, None))
        except TwofoldError as error:
            detail = error.detail
            with suppress(TwofoldError):
                await self._change(job.job_id, lambda job: _ended(job, detail))
        finally:
            beat.cancel()
            del self._work[job.job_id], self._tasks[job.job_id]

    async def _next(self, job_id: str, place: int, speaker_id: str, work: Work) -> bool:
        """Enrols the person at `place`, unless erased. Returns False where the job was removed."""
        job = await self._change(job_id, _begun)
        if job is None or job.people[place].speaker_id is None:
            return job is not None
        recordings = await _outcomes(speaker_id, work)
        job = await self._change(job_id, lambda job: job.with_person(place, recordings))
        erased = speaker_id in work.erased or (job is not None and job.people[place].speaker_id is None)
        stored_id = work.tenant.stored(speaker_id)
        if erased and stored_id is not None:
            with suppress(NotFound):
                await work.erase(stored_id)  # erased while being enrolled
        return job is not None

    async def _change(self, job_id: str, change: Callable[[BulkJob], BulkJob]) -> BulkJob | None:
        return await patiently(lambda: self._threads.run(self.store.update, job_id, change))

    async def _beat(self, job_id: str) -> None:
        """Says that this process lives, to the others."""
        while self.store.shared:
            await asyncio.sleep(_BEAT_S)
            with suppress(TwofoldError):
                await self._change(job_id, lambda job: replace(job, seen_at=datetime.now(UTC)))


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """What `call` returns. Where it is told to try again soon, it does, for a minute or so."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await call()
        except TwofoldError as error:
            if error.retry_after_s is None or error.retry_after_s > _SOON_S:
                raise
            await asyncio.sleep(error.retry_after_s)
    return await call()


async def _budget(work: Work) -> None:
    while True:
        try:
            return work.require_budget()
        except Overloaded as error:
            await asyncio.sleep(error.retry_after_s or 1)


async def _outcomes(speaker_id: str, work: Work) -> tuple[RecordingOutcome, ...]:
    """What became of a person's recordings, in the order of the archive."""
    paths = work.archive.people[speaker_id]
    files: list[tuple[str, bytes]] = []
    outcomes: dict[str, RecordingOutcome] = {}
    for path in paths:
        try:
            files.append((path, await asyncio.to_thread(work.archive.read, path)))
        except TwofoldError as error:
            outcomes[path] = RecordingOutcome(file=path, outcome="refused", reason=error.detail)
    try:
        for outcome in await work.enrol(speaker_id, files) if files else ():
            outcomes[outcome.file] = outcome
    except Exception as error:  # noqa: BLE001  a defect with one person must not end the work on the others
        _log.exception("defect", error=type(error).__name__)
        for path, _ in files:
            outcomes[path] = RecordingOutcome(file=path, outcome="refused", reason=_FAILED)
    return tuple(outcomes[path] for path in paths)


def _begun(job: BulkJob) -> BulkJob:
    return job if job.state == "running" else replace(job, state="running", started_at=datetime.now(UTC))


def _ended(job: BulkJob, error: str | None) -> BulkJob:
    state: JobState = "succeeded" if error is None else "failed"
    return replace(job, state=state, finished_at=datetime.now(UTC), error=error)


def _restarted(job: BulkJob) -> BulkJob:
    return job if job.over else _ended(job, _RESTARTED)
