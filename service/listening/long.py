"""Diarizations of long recordings, as jobs of this process: one at a time, in memory alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import structlog

from bundle.arrays import Float32
from bundle.bandwidth import Line
from bundle.scoring import Scorer
from service.audio import AudioLimits
from service.audio.decode import decode_parts
from service.audio.readers import FfmpegReader
from service.diarization import Diarization, Hints, Windows, diarize
from service.errors import NoSpeech, NotFound, Overloaded, TwofoldError
from service.inference import ModelRegistry
from service.listening.desk import ListeningDesk, embed_patiently
from service.listening.speech import STEP_SAMPLES, SpeechSteps, Step
from service.speakers import Strictness
from service.tenants import Tenant

JobState = Literal["queued", "running", "succeeded", "failed", "canceled"]

_STEPS_AT_ONCE = 64  # half a minute of sound
_MOST_JOBS = 4  # unfinished, of one client
_VOICE_WINDOWS = 64  # of each voice that are kept, so that it can be enrolled
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job found."""

    model: str
    scorer: Scorer
    parts: Diarization
    line: Line  # that the recording came over
    crops: tuple[Float32, ...]  # of each voice, (windows, dim): unit embeddings


@dataclass(eq=False)
class LongDiarization:
    """One job."""

    job_id: str
    tenant: str
    collection: Sequence[str]  # that names are of; empty: of all
    client: str
    strictness: Strictness  # of names, when the answer is asked for
    size: int  # of the recording, in bytes
    created_at: datetime
    state: JobState = "queued"
    at_s: float = 0.0  # of the sound, that was listened to
    duration_s: float | None = None  # by the header, until it is known
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    outcome: Outcome | None = None
    task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        """Whether it has reached its final state."""
        return self.state not in ("queued", "running")


class LongDiarizations:
    """The jobs of one process and event loop. Recordings and results are never written to a disk."""

    def __init__(
        self,
        registry: ModelRegistry,
        desk: ListeningDesk,
        *,
        max_bytes: int,
        max_memory_bytes: int,
        max_seconds: float,
        keep_s: float,
    ) -> None:
        """`max_memory_bytes` bounds the recordings that wait. Results are forgotten after `keep_s`."""
        self._registry = registry
        self._desk = desk
        self._limits = AudioLimits(max_bytes=max_bytes, max_seconds=max_seconds)
        self._max_memory_bytes = max_memory_bytes
        self._keep = timedelta(seconds=keep_s)
        self._ffmpeg = FfmpegReader()
        self._jobs: dict[str, LongDiarization] = {}
        self._turn = asyncio.Lock()
        self._process = secrets.token_hex(4)  # begins each id: jobs lost by a restart are known as such

    def submit(
        self,
        data: bytes,
        hints: Hints,
        strictness: Strictness,
        *,
        tenant: Tenant,
        client: str,
        collection: Sequence[str] = (),
        charge: Callable[[float], None],
    ) -> LongDiarization:
        """Starts a job on the bytes of a file. `charge` is told its seconds. Raises Overloaded."""
        self._forget_old()
        unfinished = [job for job in self._jobs.values() if not job.over]
        if sum(job.client == client for job in unfinished) >= _MOST_JOBS:
            raise Overloaded(
                f"You have {_MOST_JOBS} unfinished diarizations, the limit. Wait for one, or delete one with "
                "DELETE /diarize/{job_id}.",
                retry_after_s=30,
            )
        if sum(job.size for job in unfinished) + len(data) > self._max_memory_bytes:
            raise Overloaded(
                f"The recordings that wait fill {self._max_memory_bytes} bytes "
                "(TWOFOLD_MAX_UPLOAD_MEMORY_BYTES). Try again later.",
                retry_after_s=30,
            )
        job_id = f"{self._process}-{secrets.token_hex(12)}"
        job = LongDiarization(
            job_id, tenant.name, collection, client, strictness, len(data), datetime.now(UTC)
        )
        self._jobs[job.job_id] = job
        job.task = asyncio.create_task(self._run(job, data, hints, charge))
        return job

    def get(self, job_id: str, tenant: Tenant) -> LongDiarization:
        """The job, if it is the tenant's. Raises NotFound."""
        self._forget_old()
        job = self._jobs.get(job_id)
        if job is None or job.tenant != tenant.name:
            because = (
                f"Answers are forgotten after {self._keep.total_seconds():.0f} s (TWOFOLD_BACKGROUND_KEEP_S)."
                if job_id.startswith(f"{self._process}-")
                else "The service has restarted since, or the id is mistyped: recordings and answers are in "
                "memory alone, so that no disk holds the voices of people who are not enrolled."
            )
            raise NotFound(f"There is no diarization {job_id!r}. {because} Send the recording again.")
        return job

    def remove(self, job_id: str, tenant: Tenant) -> None:
        """Ends a job, and forgets all of it. Raises NotFound."""
        job = self.get(job_id, tenant)
        if job.task is not None:
            job.task.cancel()
        if not job.over:
            job.state = "canceled"
        job.outcome = None
        del self._jobs[job_id]

    async def aclose(self) -> None:
        """Ends all jobs."""
        tasks = [job.task for job in self._jobs.values() if job.task and not job.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._ffmpeg.close()

    def _forget_old(self) -> None:
        now = datetime.now(UTC)
        for job in list(self._jobs.values()):
            if job.finished_at is not None and now - job.finished_at > self._keep:
                del self._jobs[job.job_id]

    async def _run(
        self, job: LongDiarization, data: bytes, hints: Hints, charge: Callable[[float], None]
    ) -> None:
        async with self._turn:
            job.state, job.started_at = "running", datetime.now(UTC)
            try:
                job.outcome = await self._diarized(job, data, hints)
                job.state = "succeeded"
            except TwofoldError as error:
                job.state, job.error = "failed", error.detail
            except Exception as error:  # noqa: BLE001  any error must end the job
                _log.exception("defect", error=type(error).__name__)
                job.state, job.error = "failed", "The service failed. Its log has the cause."
            finally:
                job.finished_at = datetime.now(UTC)
                charge(job.at_s)

    async def _diarized(self, job: LongDiarization, data: bytes, hints: Hints) -> Outcome:
        """Memory: the file, half a minute of sound, and an embedding for each half second of speech."""
        steps = SpeechSteps(self._desk.detector)
        embeddings: list[Float32] = []
        with self._registry.lease() as engine, decode_parts(data, self._limits, self._ffmpeg) as decoded:
            job.duration_s = decoded.declared_s
            batches = _batches(decoded.parts, steps)
            while batch := await self._desk.run(lambda: next(batches, None)):
                waveforms = np.concatenate([step.waveforms for step in batch])
                if len(waveforms):
                    embeddings.append(await embed_patiently(engine, waveforms))
                job.at_s = batch[-1].end_s
            job.duration_s = job.at_s
            if not embeddings:
                raise NoSpeech("No speech was found in the recording.")
            bundle, line = engine.bundle, steps.line.kind
            whole = engine.without_line(np.concatenate(embeddings), narrow=line.narrow)
        return await asyncio.to_thread(
            _outcome, steps.windows(), whole, Scorer(bundle.scoring), hints, bundle.id, line
        )


def _batches(parts: Iterator[Float32], steps: SpeechSteps) -> Iterator[list[Step]]:
    """The steps of a recording, half a minute at a time. The last step is filled up with silence."""
    waiting = np.empty(0, np.float32)
    batch: list[Step] = []
    for part in parts:
        waiting = np.concatenate([waiting, part])
        while len(waiting) > STEP_SAMPLES:  # one is left for the end
            batch.append(steps.take(waiting[:STEP_SAMPLES]))
            waiting = waiting[STEP_SAMPLES:]
            if len(batch) == _STEPS_AT_ONCE:
                yield batch
                batch = []
    yield [*batch, steps.take(np.pad(waiting, (0, STEP_SAMPLES - len(waiting))), last=True)]


def _outcome(
    windows: Windows, embeddings: Float32, scorer: Scorer, hints: Hints, model: str, line: Line
) -> Outcome:
    parts = diarize(windows, embeddings, scorer, hints)
    crops = []
    for number in range(len(parts.voices)):
        indices = np.flatnonzero(parts.labels == number)
        few = np.linspace(0, len(indices) - 1, min(len(indices), _VOICE_WINDOWS)).astype(np.intp)
        crops.append(embeddings[indices[few]])
    return Outcome(model, scorer, parts, line, tuple(crops))
