"""The verb `embed` without a running service: runs the service's code in this process."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from service.api.embed import embed_answer
from service.api.pipeline import Pipeline
from service.audio import AudioLimits
from service.audio.decoder import AudioDecoder, Upload
from service.client import ClientError, EmbedAnswer
from service.errors import TwofoldError
from service.inference import ModelRegistry
from service.logs import configure_logging
from service.metrics import Metrics
from service.runtime import active_model, engine_maker, model_folders
from service.settings import Settings


def embed_locally(recordings: Sequence[Path], settings: Settings, *, segments: bool) -> EmbedAnswer:
    """The answer of /embed. Loads the model first, which takes about a second. Raises ClientError."""
    configure_logging("error")  # to stderr: only the answer goes to stdout
    try:
        return asyncio.run(_embed(recordings, settings, segments))
    except TwofoldError as error:
        raise ClientError(f"{error.detail} ({error.status} {error.code})") from None


async def _embed(recordings: Sequence[Path], settings: Settings, segments: bool) -> EmbedAnswer:
    metrics = Metrics()
    limits = AudioLimits(max_bytes=settings.max_bytes, max_seconds=settings.max_seconds)
    decoder = AudioDecoder(limits, settings.decode_threads, metrics)
    with active_model(settings) as chosen:
        registry = ModelRegistry(model_folders(settings), chosen, engine_maker(settings, metrics))
        try:
            await registry.start()
            with registry.lease() as engine:
                uploads = [Upload(path.name, path.read_bytes()) for path in recordings]
                pipeline = Pipeline(engine, decoder, _never_leaves)
                embedded = await pipeline.embed(uploads, required_s=settings.min_speech_embed_s)
                answer = embed_answer(embedded, engine.bundle, segments=segments)
        finally:
            decoder.close()
            await registry.close()
    return EmbedAnswer.model_validate(answer.model_dump(mode="json", exclude_unset=True))


async def _never_leaves() -> MutableMapping[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("unreachable: the event is never set")
