"""Makes clips in a thread of its own. The generator is loaded when first needed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, TypeVar

import structlog

from bundle.arrays import Float32
from bundle.generator import GeneratorBundle
from bundle.manifest import BundleError
from service.errors import Conflict, Overloaded
from service.generation.generator import GenerationObserver, Generator
from service.inference import ModelRegistry
from service.machine_code import can_compile

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_LONGEST_RETRY_S = 60
NO_NUMBA = (
    "Generating audio needs numba, which is not installed here: pip install numba. Then start the service "
    "again."
)


class GenerationDesk:
    """Makes clips with the newest generator bundle. Belongs to one event loop."""

    def __init__(
        self, registry: ModelRegistry, threads: int, max_clips: int, observer: GenerationObserver
    ) -> None:
        self._registry = registry
        self._threads = threads
        self._max_clips = max_clips
        self._observer = observer
        self._loaded: Generator | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="generate")
        self._waiting = 0  # clips
        self._seconds_per_clip = 0.0

    async def find(self) -> GeneratorBundle | None:
        """The newest generator bundle, or None."""
        return await asyncio.to_thread(self._registry.generator)

    async def bundle(self) -> GeneratorBundle:
        """The newest generator bundle. Raises Conflict if there is none."""
        bundle = await self.find()
        if bundle is None:
            raise Conflict(
                "No generator is installed. Put a bundle of kind gaae into the models folder "
                "(TWOFOLD_MODELS_DIR). GET /models lists the installed models."
            )
        return bundle

    async def clips(
        self, bundle: GeneratorBundle, label: str, seeds: Sequence[int], style: Float32 | None = None
    ) -> list[Float32]:
        """A second of audio (16000,) for each seed, at 16 kHz.

        `style`, a second of audio (16000,), replaces the random latent: the seeds then change very little.
        Cancelling the call stops it before the next clip. Raises Overloaded, Conflict for a damaged bundle
        or without numba, and ValueError for an unknown label.
        """
        if not can_compile():
            raise Conflict(NO_NUMBA)
        # With an empty queue even the largest request is accepted: it would never be otherwise.
        if self._waiting and self._waiting + len(seeds) > self._max_clips:
            raise Overloaded(
                f"{self._waiting} clips are waiting to be generated. Try again shortly.",
                retry_after_s=min(
                    _LONGEST_RETRY_S, max(1, math.ceil(self._waiting * self._seconds_per_clip))
                ),
            )
        pending = len(seeds)
        self._waiting += pending
        try:
            generator = await self._in_turn(self._load, bundle)
            z = None if style is None else await self._in_turn(generator.style, style)
            clips = []
            for seed in seeds:  # one at a time, so that requests take turns
                clips.append(await self._in_turn(self._clip, generator, label, seed, z))
                self._waiting -= 1
                pending -= 1
            return clips
        finally:
            self._waiting -= pending

    def close(self) -> None:
        """Finishes the current clip and ends the thread. Blocks."""
        self._worker.shutdown(cancel_futures=True)

    async def _in_turn(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *args)

    def _load(self, bundle: GeneratorBundle) -> Generator:
        """The generator of `bundle`. It replaces the generator in memory."""
        if self._loaded is None or self._loaded.bundle.sha256 != bundle.sha256:
            try:
                verified = GeneratorBundle.load(bundle.path)
                self._loaded = Generator(verified, threads=self._threads, observer=self._observer)
            except BundleError as error:
                raise Conflict(str(error)) from error
            _log.info("generator_loaded", model=bundle.id)
        return self._loaded

    def _clip(self, generator: Generator, label: str, seed: int, z: Float32 | None) -> Float32:
        start = perf_counter()
        clip = generator.clip(label, seed, z)
        self._seconds_per_clip = perf_counter() - start
        return clip
