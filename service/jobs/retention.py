"""How much of the past stays: records of finished jobs, and the versions that jobs made.

Recordings are no part of the past: they are deleted when their job is over, and a job that no worker takes
is ended by `lifecycle.expire`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from service.errors import Conflict, NotFound
from service.inference import ModelRegistry
from service.jobs.desk import JobDesk
from service.jobs.records import Job
from service.jobs.store import JobStore
from service.speakers import SpeakerDirectory
from service.tenants import version_owner

_LOOK_S = 2.0  # how often it is looked whether there is more than before
_AGAIN_S = 600.0  # voices may have changed, so that a version may go that had to stay
_AT_ONCE = 500  # records read at once
T = TypeVar("T")
_log = structlog.get_logger(__name__)


def surplus(newest_first: Iterable[T], owner: Callable[[T], str], keep: int) -> list[T]:
    """What is beyond the number to keep: the oldest of whoever has most, so that nobody crowds others out."""
    count: Counter[str] = Counter()
    ranked: list[tuple[int, T]] = []
    for item in newest_first:
        ranked.append((count[owner(item)], item))
        count[owner(item)] += 1
    ranked.sort(key=lambda pair: pair[0])  # stable: the newest stay in front
    return [item for _, item in ranked[keep:]]


async def remove_version(
    version: str, jobs: JobDesk, registry: ModelRegistry, directory: SpeakerDirectory
) -> None:
    """Removes a fine-tuned version, for good.

    Raises NotFound, and Conflict where it is needed: it serves, or is the parent of the version that serves,
    or an unfinished job uses it, or voices may be lost with it. Raises StoreUnavailable and NotReady.
    """
    await jobs.require_no_child(version)
    bundle = await asyncio.to_thread(registry.find, version)
    await directory.require_no_voices(registry, bundle.id)
    await registry.remove(bundle.id)


class Retention:
    """Keeps to the limits of the settings. Belongs to the event loop of registry and directory."""

    def __init__(self, desk: JobDesk, registry: ModelRegistry, directory: SpeakerDirectory) -> None:
        self._desk = desk
        self._registry = registry
        self._directory = directory
        self._looked = self._applied = -_AGAIN_S
        self._seen: object = None

    async def tend(self) -> None:
        """Applies the limits where something has changed. To be called often. Raises TwofoldError."""
        now = time.monotonic()
        if self._registry.active is None or now - self._looked < _LOOK_S:
            return
        self._looked = now
        if await self._there_is() == self._seen and now - self._applied < _AGAIN_S:
            return
        await self._desk.threads.run(forget_jobs, self._desk.store, self._desk.settings.finetune_keep_jobs)
        await self._remove_versions()
        self._seen, self._applied = await self._there_is(), now

    async def _there_is(self) -> object:
        """Whatever makes it worth a look."""
        jobs = await self._desk.threads.run(self._desk.store.count)
        versions = await asyncio.to_thread(self._desk.folders.made_versions)
        return jobs, versions, self._registry.active and self._registry.active.id

    async def _remove_versions(self) -> None:
        versions = await asyncio.to_thread(self._desk.folders.made_versions)
        old = surplus(
            versions, lambda made: version_owner(made[1]), self._desk.settings.finetune_keep_versions
        )
        for name, version in reversed(old):
            try:
                await remove_version(f"{name}/{version}", self._desk, self._registry, self._directory)
            except Conflict:  # it is needed
                continue
            except NotFound:  # another replica was faster, or was killed in between
                await asyncio.to_thread(self._desk.folders.clear_version, name, version)


def forget_jobs(store: JobStore, keep: int) -> None:
    """Removes the oldest finished jobs where there are more than `keep`. Raises StoreUnavailable."""
    if store.count() <= keep:
        return
    finished = [job for job in _all(store) if job.settled and (job.readable or job.damaged)]
    if old := surplus(finished, lambda job: job.tenant, keep):
        store.remove([job.job_id for job in old])
        _log.info("jobs_forgotten", jobs=len(old))


def _all(store: JobStore) -> Sequence[Job]:
    """Every job, newest first."""
    jobs: list[Job] = []
    before: str | None = None
    while True:
        page = store.list(limit=_AT_ONCE, before=before)
        jobs += page.jobs
        before = page.next_before
        if before is None:
            return jobs
