"""How the service accepts jobs, shows them and cancels them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from service.errors import Conflict, NotFound, NotReady
from service.jobs import lifecycle
from service.jobs.files import Folders
from service.jobs.queue import JobQueue
from service.jobs.records import Activate, Job, JobFile, JobPage, new_job_id, new_version
from service.jobs.store import JobStore, unknown_job
from service.jobs.tidy import forget
from service.packages import installed
from service.settings import Settings
from service.speakers.cipher import AudioCipher
from service.stores.threads import StoreThreads
from service.tenants import Tenant

_SCANNED = 200  # least number of jobs read at once: a tenant's may be few among many
NO_TORCH = (
    "Training steps need the trainer's packages, which are not installed here: `make worker` installs them "
    "in a checkout. Or ask for steps=0"
)


def can_train() -> bool:
    """Whether torch is installed; it is not imported."""
    return installed("torch")


@dataclass(frozen=True)
class NewFile:
    """One recording to fine-tune on."""

    speaker_id: str  # "" where unknown
    audio: bytes  # an audio file


@dataclass(frozen=True)
class JobDesk:
    """Job store, queue and folders of one application. Their blocking calls run in `threads`."""

    store: JobStore
    queue: JobQueue
    folders: Folders
    settings: Settings
    threads: StoreThreads

    def require_worker(self, steps: int) -> None:
        """Raises NotReady if no worker can take steps: no torch here, and no Redis to reach others."""
        if steps and not self.settings.redis_url and not can_train():
            raise NotReady(f"{NO_TORCH}.", retry_after_s=60)

    async def submit(
        self,
        recordings: list[NewFile],
        *,
        client: str,
        tenant: Tenant,
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
            tenant=tenant.name,
            created_at=now,
            name=name,
            parent=parent,
            version=new_version(job_id, now, tenant.name),
            steps=steps,
            same_voice_seconds=same_voice_seconds,
            activate=activate,
            files=tuple(JobFile(name, recording.speaker_id) for name, recording in files.items()),
            size_bytes=sum(len(recording.audio) for recording in recordings),
            queued_at=now,
        )
        await self.threads.run(self._store_and_send, job, {k: v.audio for k, v in files.items()})
        return job

    async def get(self, job_id: str, tenant: Tenant) -> Job:
        """The job, if it is the tenant's. Raises NotFound, StoreUnavailable."""
        job = await self.threads.run(self.store.get, job_id)
        if job.tenant != tenant.name:
            raise unknown_job(job_id)
        return job

    async def page(self, tenant: Tenant, *, limit: int, before: str | None) -> JobPage:
        """At most `limit` jobs of the tenant that are older than `before`. Raises StoreUnavailable."""
        return await self.threads.run(self._page, tenant.name, limit, before)

    async def require_no_child(self, version: str) -> None:
        """Raises Conflict if an unfinished job reads or writes `version`, given with its name or without."""
        for job in await self.threads.run(self.store.unsettled):
            versions = (job.parent, job.version)
            if version in (*versions, *(f"{job.name}/{needed}" for needed in versions)):
                raise Conflict(
                    f"Job {job.job_id!r} needs {version}. Cancel the job, or wait until it is over."
                )

    def lost_versions(self, jobs: Sequence[Job]) -> set[str]:
        """Ids of the jobs that succeeded, and whose version was removed since. Blocks."""
        return {job.job_id for job in jobs if job.state == "succeeded" and not self.folders.has_version(job)}

    def picture(self, job: Job) -> bytes:
        """The PNG of its report. Blocks. Raises NotFound where the job has none, or its version is gone."""
        try:
            return (self.folders.new_version(job.name, job.version) / "report.png").read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"Job {job.job_id!r} has no picture: it is {job.state}, its version was removed, or an "
                "earlier release made it. GET /finetune/{job_id} has the report."
            ) from None

    async def cancel(self, job_id: str) -> Job:
        """Cancels a job. Raises NotFound, Conflict if it is over, StoreUnavailable."""
        return await self.threads.run(self._cancel, job_id)

    async def forget(self, speaker_id: str) -> None:
        """Cancels all jobs that use a speaker's audio. Raises StoreUnavailable."""
        await self.threads.run(forget, speaker_id, self.store, self.folders)

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

    def _page(self, tenant: str, limit: int, before: str | None) -> JobPage:
        jobs: list[Job] = []
        while len(jobs) <= limit:  # one more tells whether there is another page
            page = self.store.list(limit=max(limit, _SCANNED), before=before)
            jobs += [job for job in page.jobs if job.tenant == tenant]
            before = page.next_before
            if before is None:
                break
        return JobPage(tuple(jobs[:limit]), next_before=jobs[limit - 1].job_id if len(jobs) > limit else None)

    def _cancel(self, job_id: str) -> Job:
        job = self.store.update(job_id, lambda job: lifecycle.cancel(job, datetime.now(UTC)))
        if job.over:
            self.folders.clear(job)
        return job
