"""What lives as long as the application, and how it starts and ends."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from service.admission import Admission
from service.audio import AudioLimits
from service.errors import StoreUnavailable
from service.inference import Engine, ModelRegistry, inference_threads
from service.jobs import CeleryQueue, Folders, JobDesk, JobMonitor, make_celery, open_store
from service.metrics import Metrics
from service.pipeline import AudioDecoder
from service.settings import Settings
from service.speakers import Gallery, SpeakerDirectory, SqliteGallery


@dataclass(frozen=True)
class Runtime:
    """Parts shared by all requests of one application."""

    settings: Settings
    metrics: Metrics
    registry: ModelRegistry
    decoder: AudioDecoder
    directory: SpeakerDirectory
    admission: Admission
    jobs: JobDesk
    closing: asyncio.Event  # set when the service is told to stop: streams end then


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Runtime]:
    """Starts everything; the model loads meanwhile. On leaving, ends it in the opposite order."""
    metrics = Metrics()
    make_engine = partial(
        Engine,
        threads=inference_threads(settings.inference_threads),
        max_batch=settings.max_batch,
        max_queue=settings.max_queue,
        observer=metrics,
    )
    registry = ModelRegistry(
        [settings.models_dir, settings.state_dir / "models"],
        settings.state_dir / "active_model.json",
        make_engine,
    )
    limits = AudioLimits(max_bytes=settings.max_bytes, max_seconds=settings.max_seconds)
    decoder = AudioDecoder(limits, settings.decode_threads, metrics)
    gallery = SqliteGallery(settings.state_dir / "speakers.sqlite")
    directory = SpeakerDirectory(gallery)
    folders = Folders(settings.state_dir, settings.models_dir)
    store = open_store(settings, folders)
    jobs = JobDesk(store, CeleryQueue(make_celery(settings, folders)), folders, settings)
    metrics.gallery_size.set_function(partial(_count, gallery))
    # In the background: the port listens at once, and /readyz says when the model serves.
    loading = asyncio.create_task(registry.start(lambda engine: directory.index(engine.bundle)))
    monitoring = asyncio.create_task(JobMonitor(jobs, registry, directory, decoder).run())
    try:
        admission = Admission(settings.max_in_flight, metrics.in_flight)
        yield Runtime(settings, metrics, registry, decoder, directory, admission, jobs, asyncio.Event())
    finally:
        monitoring.cancel()
        await asyncio.wait([monitoring, loading])
        decoder.close()
        await registry.close()
        gallery.close()
        store.close()


def _count(gallery: Gallery) -> float:
    try:
        return gallery.count()
    except StoreUnavailable:
        return math.nan  # the other metrics matter most just then
