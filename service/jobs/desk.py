"""How the service accepts jobs, shows them and cancels them."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from service.errors import NotReady
from service.jobs import lifecycle
from service.jobs.files import Folders
from service.jobs.queue import JobQueue
from service.jobs.records import Activate, Job, JobFile, new_job_id, new_version
from service.jobs.store import JobStore
from service.jobs.tidy import forget
from service.settings import Settings
from service.speakers.cipher import AudioCipher

NO_TORCH = "Fine-tuning needs torch, which is not installed here: pip install '.[train]'"


def can_train() -> bool:
    """Whether torch is installed; it is not imported."""
    return importlib.util.find_spec("torch") is not None


@dataclass(frozen=True)
class NewFile:
    """One recording to fine-tune on."""

    speaker_id: str  # "" where unknown
    audio: bytes  # an audio file


@dataclass(frozen=True)
class JobDesk:
    """Job store, queue and folders of one application. Blocking calls run in threads."""

    store: JobStore
    queue: JobQueue
    folders: Folders
    settings: Settings

    def require_worker(self) -> None:
        """Raises NotReady if no worker can exist: without torch here, and without Redis to reach others."""
        if not self.settings.redis_url and not can_train():
            raise NotReady(f"{NO_TORCH}. Then run python -m service worker.", retry_after_s=60)

    async def submit(
        self,
        recordings: list[NewFile],
        *,
        client: str,
        name: str,
        parent: str,
        steps: int,
        same_voice_seconds: float,
        activate: Activate,
    ) -> Job:
        """Stores recordings and job durably, and tells the workers.

        Raises Overloaded or StoreUnavailable; then nothing is stored.
        """
        job_id, now = new_job_id(), datetime.now(UTC)
        files = {f"{i:03d}.audio": recording for i, recording in enumerate(recordings)}
        job = Job(
            job_id=job_id,
            client=client,
            created_at=now,
            name=name,
            parent=parent,
            version=new_version(job_id, now),
            steps=steps,
            same_voice_seconds=same_voice_seconds,
            activate=activate,
            files=tuple(JobFile(name, recording.speaker_id) for name, recording in files.items()),
            size_bytes=sum(len(recording.audio) for recording in recordings),
            queued_at=now,
        )
        await asyncio.to_thread(self._store_and_send, job, {k: v.audio for k, v in files.items()})
        return job

    async def get(self, job_id: str) -> Job:
        """The job. Raises NotFound, StoreUnavailable."""
        return await asyncio.to_thread(self.store.get, job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancels a job. Raises NotFound, Conflict if it is over, StoreUnavailable."""
        return await asyncio.to_thread(self._cancel, job_id)

    async def forget(self, speaker_id: str) -> None:
        """Cancels all jobs that use a speaker's audio. Raises StoreUnavailable."""
        await asyncio.to_thread(forget, speaker_id, self.store, self.folders)

    def _store_and_send(self, job: Job, audio: Mapping[str, bytes]) -> None:
        folder = self.folders.job(job.job_id)
        cipher = AudioCipher(self.settings.audio_keys)
        with folder.submitting():
            try:
                folder.write_audio({name: cipher.seal(data) for name, data in audio.items()})
                self.store.add(
                    job,
                    most_open=self.settings.finetune_queue,
                    most_bytes=self.settings.finetune_disk_bytes,
                )
            except BaseException:
                folder.remove()
                raise
        self.queue.send(job.job_id)

    def _cancel(self, job_id: str) -> Job:
        job = self.store.update(job_id, lambda job: lifecycle.cancel(job, datetime.now(UTC)))
        if job.over:
            self.folders.clear(job)
        return job
