"""Watches jobs inside the service: activates better versions, ends what no worker will, keeps to limits."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

import structlog

from service.audio.decoder import AudioDecoder
from service.errors import Conflict, NotFound, TwofoldError
from service.inference import ModelRegistry
from service.jobs import lifecycle
from service.jobs.desk import JobDesk
from service.jobs.lifecycle import NotClaimable
from service.jobs.records import Activation, Job
from service.jobs.retention import Retention
from service.jobs.tidy import tidy
from service.speakers import SpeakerDirectory

_TICK_S = 0.5
_ACTIVATION_LEASE_S = 300.0  # enrolled voices may have to be embedded again
_log = structlog.get_logger(__name__)


class JobMonitor:
    """Runs until it is cancelled. Belongs to the event loop of registry and directory."""

    def __init__(
        self, desk: JobDesk, registry: ModelRegistry, directory: SpeakerDirectory, decoder: AudioDecoder
    ) -> None:
        self._desk = desk
        self._registry = registry
        self._directory = directory
        self._decoder = decoder
        self._retention = Retention(desk, registry, directory)
        self._owner = uuid.uuid4().hex

    async def run(self) -> None:
        """Looks at unfinished jobs every half second."""
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                for job in await self._desk.threads.run(self._desk.store.unsettled):
                    if job.over:
                        await self._activate(job)
                    elif job.cancel_requested and not job.leased(datetime.now(UTC)):
                        await self._desk.cancel(job.job_id)
                    else:
                        await self._expire(job)
                await self._desk.threads.run(tidy, self._desk.store, self._desk.folders)
                await self._retention.tend()
            except (Conflict, NotClaimable):
                continue  # a worker or another replica was faster
            except TwofoldError as error:
                _log.warning("jobs_not_monitored", reason=error.detail)
            except Exception:  # noqa: BLE001  an error with one job must not end the watch over the others
                _log.exception("defect")

    async def _expire(self, job: Job) -> None:
        now, wait_s = datetime.now(UTC), self._desk.settings.finetune_keep_uploads_s
        if lifecycle.expired(job, now, wait_s=wait_s):
            await self._desk.threads.run(
                self._desk.store.update, job.job_id, lambda job: lifecycle.expire(job, now, wait_s=wait_s)
            )
            _log.warning("job_expired", job_id=job.job_id)

    async def _activate(self, job: Job) -> None:
        if self._registry.active is None:  # still loading: try again later
            return
        store = self._desk.store
        await self._desk.threads.run(
            store.update,
            job.job_id,
            lambda job: lifecycle.take_activation(
                job, self._owner, datetime.now(UTC), lease_s=_ACTIVATION_LEASE_S
            ),
        )
        activation = await self._outcome(job)
        await self._desk.threads.run(store.update, job.job_id, lambda job: lifecycle.settle(job, activation))
        _log.info("job_activation", job_id=job.job_id, state=activation.state)

    async def _outcome(self, job: Job) -> Activation:
        active = self._registry.active
        parent, made = f"{job.name}/{job.parent}", f"{job.name}/{job.version}"
        if active is not None and active.id not in (parent, made):
            return Activation(
                state="declined",
                reason=f"{active.id} serves now, but this version was compared with its parent {parent}. "
                f"POST /models/{job.version}/activate switches anyway.",
            )
        try:
            await self._directory.activate(self._registry, made, self._decoder)
        except (NotFound, Conflict) as error:
            return Activation(state="failed", reason=error.detail)
        return Activation(state="active", reason="The new version is better and serves now.")
