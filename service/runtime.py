"""What lives as long as the application, and how it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bundle.voice import VoiceBundle
from service.admission import Admission
from service.audio import AudioLimits
from service.audio.decoder import AudioDecoder
from service.audit import AuditLog
from service.bulk import BULK_FILE, BulkDesk, BulkStore, RedisBulkStore, SqliteBulkStore
from service.eraser import Eraser
from service.generation import GenerationDesk
from service.inference import ActiveModel, ActiveModelFile, Engine, ModelRegistry, inference_threads
from service.jobs import CeleryQueue, Folders, JobDesk, JobMonitor, make_celery, open_store
from service.keys import KeyRing
from service.listening import ListeningDesk, LongDiarizations
from service.metrics import Metrics
from service.rates import Rate
from service.replicas import RedisActiveModel, Replica
from service.settings import Settings
from service.speakers import AudioCipher, RedisGallery, SpeakerDirectory, SqliteGallery
from service.stores.folder_lock import folder_lock
from service.stores.threads import StoreThreads


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Parts shared by all requests of one application."""

    settings: Settings
    metrics: Metrics
    registry: ModelRegistry
    decoder: AudioDecoder
    directory: SpeakerDirectory
    admission: Admission
    jobs: JobDesk
    eraser: Eraser
    generation: GenerationDesk
    listening: ListeningDesk
    diarizations: LongDiarizations
    bulk: BulkDesk
    keys: KeyRing
    audit: AuditLog
    requests: Rate
    audio: Rate
    closing: asyncio.Event  # set when the service is told to stop: streams end then


def engine_maker(settings: Settings, metrics: Metrics) -> Callable[[VoiceBundle], Engine]:
    """What loads a bundle with the threads, batches and queue of the settings."""
    return partial(
        Engine,
        threads=inference_threads(settings.inference_threads),
        max_batch=settings.max_batch,
        max_queue=settings.max_queue,
        observer=metrics,
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Runtime]:
    """Starts everything; the model loads meanwhile. On leaving, ends it in the opposite order."""
    metrics = Metrics()
    make_engine = engine_maker(settings, metrics)
    limits = AudioLimits(max_bytes=settings.max_bytes, max_seconds=settings.max_seconds)
    decoder = AudioDecoder(limits, settings.decode_threads, metrics)
    admission = Admission(settings.max_in_flight, settings.max_upload_memory_bytes, metrics.in_flight)
    folders = Folders(settings.state_dir, settings.models_dir)
    keys = KeyRing(settings.keys, settings.keys_file)
    # In the background: the port listens at once, and /readyz says when the model serves.
    start = _shared if settings.redis_url else _alone
    async with start(settings, make_engine, decoder) as (registry, directory):
        generation = GenerationDesk(
            registry, inference_threads(settings.inference_threads), settings.max_clips, metrics
        )
        with (
            closing(generation),
            closing(open_store(settings, folders)) as store,
            closing(_bulk_store(settings)) as bulk_store,
            closing(decoder),
            closing(
                ListeningDesk(settings.max_streams, settings.max_streams_per_client, metrics.streams)
            ) as listening,
            closing(_audit_log(settings)) as audit,
        ):
            jobs = JobDesk(
                store, CeleryQueue(make_celery(settings, folders)), folders, settings, directory.threads
            )
            bulk = BulkDesk(
                bulk_store,
                directory.threads,
                max_memory_bytes=settings.max_upload_memory_bytes,
                keep_s=settings.background_keep_s,
            )
            eraser = Eraser(directory, jobs, bulk)
            diarizations = LongDiarizations(
                registry,
                listening,
                max_bytes=settings.max_bytes,
                max_memory_bytes=settings.max_upload_memory_bytes,
                max_seconds=settings.background_seconds,
                keep_s=settings.background_keep_s,
            )
            async with (
                aclosing(diarizations),
                aclosing(bulk),
                _in_background(JobMonitor(jobs, registry, directory, decoder).run()),
                _in_background(eraser.run()),
                _in_background(bulk.tend()),
            ):
                yield Runtime(
                    settings=settings,
                    metrics=metrics,
                    registry=registry,
                    decoder=decoder,
                    directory=directory,
                    admission=admission,
                    jobs=jobs,
                    eraser=eraser,
                    generation=generation,
                    listening=listening,
                    diarizations=diarizations,
                    bulk=bulk,
                    keys=keys,
                    audit=audit,
                    requests=Rate(settings.requests_per_minute, "requests", "TWOFOLD_REQUESTS_PER_MINUTE"),
                    audio=Rate(
                        settings.audio_seconds_per_minute,
                        "seconds of audio",
                        "TWOFOLD_AUDIO_SECONDS_PER_MINUTE",
                    ),
                    closing=asyncio.Event(),
                )


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` until the block ends, then cancels it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


_Started = tuple[ModelRegistry, SpeakerDirectory]
_MakeEngine = Callable[[VoiceBundle], Engine]


@asynccontextmanager
async def _alone(
    settings: Settings, make_engine: _MakeEngine, decoder: AudioDecoder
) -> AsyncIterator[_Started]:
    """Everything in the state folder, for one process."""
    with (
        folder_lock(settings.state_dir),
        closing(SqliteGallery(settings.state_dir / "speakers.sqlite", _cipher(settings))) as gallery,
        active_model(settings) as chosen,
        closing(StoreThreads()) as threads,
    ):
        registry = ModelRegistry(model_folders(settings), chosen, make_engine)
        directory = SpeakerDirectory(gallery, threads, settings.max_speakers)
        loading = asyncio.create_task(
            registry.start(lambda engine: directory.start(engine, decoder), gallery.models)
        )
        try:
            yield registry, directory
        finally:
            await loading
            await registry.close()


@asynccontextmanager
async def _shared(
    settings: Settings, make_engine: _MakeEngine, decoder: AudioDecoder
) -> AsyncIterator[_Started]:
    """Voices and the choice of the model in Redis, for any number of replicas."""
    url = settings.redis_url.get_secret_value()
    with (
        closing(RedisGallery(url, _cipher(settings))) as gallery,
        closing(RedisActiveModel(url)) as chosen,
        closing(StoreThreads()) as threads,
    ):
        registry = ModelRegistry(model_folders(settings), chosen, make_engine)
        directory = SpeakerDirectory(gallery, threads, settings.max_speakers)
        replica = Replica(url, gallery, directory, registry, chosen, decoder)
        following = asyncio.create_task(replica.follow())
        try:
            yield registry, directory
        finally:
            replica.end()
            await following
            await registry.close()


def _audit_log(settings: Settings) -> AuditLog:
    return AuditLog(settings.audit_log, max_bytes=settings.audit_log_bytes, files=settings.audit_log_files)


def _bulk_store(settings: Settings) -> BulkStore:
    if settings.redis_url:
        return RedisBulkStore(settings.redis_url.get_secret_value())
    return SqliteBulkStore(settings.state_dir / BULK_FILE)


def _cipher(settings: Settings) -> AudioCipher:
    return AudioCipher(settings.audio_keys)


@contextmanager
def active_model(settings: Settings) -> Iterator[ActiveModel]:
    """Where it is kept which version serves."""
    if settings.redis_url:
        with closing(RedisActiveModel(settings.redis_url.get_secret_value())) as shared:
            yield shared
    else:
        yield ActiveModelFile(settings.state_dir / "active_model.json")


def model_folders(settings: Settings) -> list[Path]:
    """Where bundles are, the shipped ones first."""
    return [settings.models_dir, settings.state_dir / "models"]
