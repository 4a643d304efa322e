"""Runs a job in a worker, from claim to end. Only this module and `worker` import the trainer."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from service.errors import NotFound, StoreUnavailable
from service.inference.cpu import inference_threads
from service.jobs import lifecycle
from service.jobs.background import Background
from service.jobs.desk import can_train
from service.jobs.files import Folders, UnreadableAudio
from service.jobs.lifecycle import LeaseLost, NotClaimable
from service.jobs.records import Job
from service.jobs.store import Change, JobStore
from service.settings import Settings
from service.speakers.cipher import AudioCipher
from service.stores.disk import is_full

if TYPE_CHECKING:
    from trainer.finetuning.report import FinetuneReport

_BEAT_S = 0.5  # how often progress is stored and cancellation is noticed
_RETRY_S = 1.0
_log = structlog.get_logger(__name__)


def warm_up(threads: int) -> None:
    """Imports slow modules now, so that the first job does not wait for them.

    Args:
        threads: of torch, in every job of this process.
    """
    # Threads that spin while they wait would be slow beside a service on the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import trainer.finetuning.finetune

    if can_train():
        import torch

        import trainer.finetuning.stepped  # noqa: F401

        torch.set_num_threads(threads)


class JobRunner:
    """Runs jobs, one at a time, for the worker called `owner`."""

    def __init__(
        self,
        store: JobStore,
        folders: Folders,
        settings: Settings,
        owner: str,
        stopping: Callable[[], bool],
    ) -> None:
        """If `stopping` says that the worker shuts down, the job goes back into the queue."""
        self._store = store
        self._folders = folders
        self._settings = settings
        self._owner = owner
        self._stopping = stopping

    def run(self, job_id: str) -> None:
        """Claims the job and runs it to its end. Does nothing if it is over, or another worker has it.

        Raises:
            StoreUnavailable: before the job was claimed.
        """
        settings = self._settings
        try:
            job = self._store.update(
                job_id,
                lambda job: lifecycle.claim(
                    job,
                    self._owner,
                    _now(),
                    lease_s=settings.finetune_lease_s,
                    most_attempts=settings.finetune_attempts,
                ),
            )
        except (NotClaimable, NotFound):
            _log.info("job_not_claimed", job_id=job_id)
            return
        if not job.over:
            _log.info("job_started", job_id=job_id, attempt=job.attempts)
            job = self._end(job, self._work(job))
        if job.over:
            self._folders.clear(job)
            _log.info("job_over", job_id=job_id, state=job.state)

    def _work(self, job: Job) -> Change:
        """Does the work. Returns the change that ends the job."""
        from trainer.finetuning.errors import Canceled, FinetuneError

        with _Heartbeat(self._store, job, self._settings, self._stopping) as heart:
            try:
                report = self._finetune(job, heart)
            except Canceled:
                return heart.verdict()
            except (FinetuneError, UnreadableAudio) as error:
                reason = str(error)
                return lambda job_: lifecycle.fail(job_, job.token, _now(), reason)
            except Exception as error:  # noqa: BLE001  any error must end the job
                _log.exception("job_defect", job_id=job.job_id)
                why = "disk full" if is_full(error) else type(error).__name__
                reason = (
                    f"The fine-tuning failed ({why}). The worker's log has the cause. "
                    "You can start a new job."
                )
                return lambda job_: lifecycle.fail(job_, job.token, _now(), reason)
        better = report.verdict == "better"
        return lambda job_: lifecycle.succeed(job_, job.token, _now(), report.to_json(), better=better)

    def _finetune(self, job: Job, heart: _Heartbeat) -> FinetuneReport:
        from trainer.finetuning.finetune import finetune

        folder = self._folders.job(job.job_id)
        with folder.readable_audio(job.files, AudioCipher(self._settings.audio_keys)) as audio:
            return finetune(
                self._folders.bundle(job.name, job.parent),
                audio,
                self._folders.new_version(job.name, job.version),
                version=job.version,
                steps=job.steps,
                same_voice_seconds=job.same_voice_seconds,
                work_dir=folder.work(job.token),
                on_step=heart.on_step,
                canceled=heart.stopped,
                speakers=[file.speaker_id for file in job.files],
                threads=inference_threads(self._settings.finetune_threads),
            )

    def _end(self, job: Job, change: Change) -> Job:
        """Stores the end of the job, as soon as the store can be reached. Returns the record."""
        while True:
            try:
                return self._store.update(job.job_id, change)
            except LeaseLost:
                change = _as_it_is  # canceled, or claimed by another worker
            except StoreUnavailable:
                if self._stopping():
                    return job  # the lease expires, and the next worker finds the finished version
                time.sleep(_RETRY_S)


class _Heartbeat(Background):
    """Renews the lease, stores progress and notices cancellation, in a thread of its own."""

    def __init__(
        self, store: JobStore, job: Job, settings: Settings, shutting_down: Callable[[], bool]
    ) -> None:
        super().__init__("heartbeat")
        self._store = store
        self._job = job
        self._lease_s = settings.finetune_lease_s
        self._timeout_s = settings.finetune_timeout_s
        self._shutting_down = shutting_down
        self._started = time.monotonic()
        self._first: tuple[float, int] | None = None  # first step of this attempt: its time and number
        self._step, self._loss, self._eta_s = job.step, job.loss, job.eta_s
        self._stop: Change | None = None

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """Called by the trainer after each step."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, step
            _log.info("first_step", job_id=self._job.job_id, step=step)
        began, first = self._first
        if step > first:
            self._eta_s = (now - began) / (step - first) * (steps - step)
        if math.isfinite(loss):
            self._loss = loss
        self._step = step

    def stopped(self) -> bool:
        """Called by the trainer: whether to stop."""
        token = self._job.token
        if self._stop is None and self._shutting_down():
            self._stop = lambda job: lifecycle.release(job, token)
        elif self._stop is None and time.monotonic() - self._started > self._timeout_s:
            reason = (
                f"The job took longer than {self._timeout_s} s (TWOFOLD_FINETUNE_TIMEOUT_S). "
                "Use fewer steps or less audio."
            )
            self._stop = lambda job: lifecycle.fail(job, token, _now(), reason)
        return self._stop is not None

    def verdict(self) -> Change:
        """The change that ends a stopped job."""
        assert self._stop is not None  # the trainer stops only then
        return self._stop

    def _run(self) -> None:
        token = self._job.token
        while not self._ending.wait(_BEAT_S):
            try:
                job = self._store.update(
                    self._job.job_id,
                    lambda job: lifecycle.renew(
                        job,
                        token,
                        _now(),
                        lease_s=self._lease_s,
                        step=self._step,
                        loss=self._loss,
                        eta_s=self._eta_s,
                    ),
                )
            except StoreUnavailable:
                continue  # the lease may expire, but nobody can claim the job meanwhile
            except LeaseLost:
                self._stop = _as_it_is
                return
            if job.over:  # canceled: stored already, before the trainer stops
                self._stop = _as_it_is
                return


def _as_it_is(job: Job) -> Job:
    return job


def _now() -> datetime:
    return datetime.now(UTC)
