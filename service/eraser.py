"""Works erasures off: until each place that may hold the voice is clean, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from service.bulk import BulkDesk
from service.errors import NotFound, TwofoldError
from service.jobs import JobDesk
from service.jobs.tidy import forget
from service.speakers import Erasure, SpeakerDirectory, VoiceIndex

_TICK_S = 0.5
_LONGEST_S = 8.0
_log = structlog.get_logger(__name__)


class Eraser:
    """Erases voices and goes on until nothing is left. Belongs to one event loop.

    The gallery stores an erasure in the step that deletes the voice, so it outlives every process.
    Replicas may work on the same erasure: every step can be repeated.
    """

    def __init__(self, directory: SpeakerDirectory, jobs: JobDesk, bulk: BulkDesk) -> None:
        self._directory = directory
        self._jobs = jobs
        self._bulk = bulk
        self._pending = 0
        self._left: Mapping[str, str] = {}
        self._working = asyncio.Lock()

    async def erase(self, speaker_id: str) -> None:
        """Erases a speaker: no call knows the voice from now on, and no job may use it.

        What takes longer is done later. Raises StoreUnavailable, and NotFound for who is neither enrolled nor
        waits in a bulk enrolment.
        """
        waited = await self._bulk.forget(speaker_id)  # first: from now on no archive enrols the speaker
        try:
            await self._directory.delete(speaker_id)
        except NotFound:
            if not waited:
                raise
        await self._begin()

    async def erase_recording(self, index: VoiceIndex, speaker_id: str, number: int) -> None:
        """Erases one recording of a speaker, in the same way.

        Raises Conflict for the only one, NotFound, StoreUnavailable, and NotReady after a model switch.
        """
        await self._directory.remove_utterance(index, speaker_id, number)
        await self._begin()

    async def _begin(self) -> None:
        try:
            await self._work()
        except TwofoldError as error:  # the erasure is stored: it is worked off later
            _log.warning("erasure_not_finished", reason=error.detail)

    async def run(self) -> None:
        """Works off what there is, until it is cancelled."""
        wait_s = _TICK_S
        while True:
            before = self._left
            try:
                await self._work()
            except TwofoldError as error:
                _log.warning("erasures_not_worked_off", reason=error.detail)
            except Exception:  # noqa: BLE001  an error with one erasure must not end the work on the others
                _log.exception("defect")
            # What does not move is looked at less often.
            wait_s = min(2 * wait_s, _LONGEST_S) if self._left and self._left == before else _TICK_S
            await asyncio.sleep(wait_s)

    async def erasures(self) -> Sequence[Erasure]:
        """What is not finished, oldest first. Raises StoreUnavailable."""
        return await self._directory.threads.run(self._directory.gallery.erasures)

    @property
    def left(self) -> Mapping[str, str]:
        """What was not clean when it was looked at last: a place, and why."""
        return self._left

    @property
    def notices(self) -> Sequence[str]:
        """What an operator should know, in sentences."""
        if not self._pending:
            return ()
        # Without the id of a job: /readyz needs no key.
        left = dict.fromkeys(f"{place.partition('/')[0]} ({reason})" for place, reason in self._left.items())
        return (f"Erasures that are not finished: {self._pending}. Left: {', '.join(left) or 'files'}.",)

    async def _work(self) -> None:
        async with self._working:
            self._pending, self._left = await self._directory.threads.run(self._step)

    def _step(self) -> tuple[int, Mapping[str, str]]:
        gallery = self._directory.gallery
        left: dict[str, str] = {}
        erasures = gallery.erasures()
        for erasure in erasures:
            if erasure.speaker_id is not None:
                in_jobs = forget(erasure.speaker_id, self._jobs.store, self._jobs.folders)
                in_jobs |= self._forget_in_bulk(erasure.speaker_id)
                left |= in_jobs
                if not in_jobs:
                    gallery.jobs_are_clean(erasure.erasure_id)
        if erasures:
            left |= gallery.clean()
            erasures = gallery.erasures()
        return len(erasures), left

    def _forget_in_bulk(self, speaker_id: str) -> Mapping[str, str]:
        self._bulk.store.forget(speaker_id)
        return self._bulk.store.clean()
