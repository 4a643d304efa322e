"""How many streams there are, and the threads that they share."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import Gauge

from bundle.arrays import Float32
from service.audio import SpeechDetector
from service.errors import Overloaded
from service.inference import Engine

T = TypeVar("T")
_THREADS = 2
_PATIENCE_S = 0.5


class ListeningDesk:
    """Bounds live streams. Belongs to one event loop."""

    def __init__(self, most: int, most_per_client: int, gauge: Gauge) -> None:
        self.detector = SpeechDetector()
        self._most = most
        self._most_per_client = most_per_client
        self._gauge = gauge
        self._streams: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="listen")

    @contextmanager
    def admit(self, client: str) -> Iterator[None]:
        """Holds the place of one stream. Raises Overloaded when all places are taken, or the client's."""
        if self._streams.total() >= self._most:
            raise Overloaded(
                f"The service follows {self._most} live streams already (TWOFOLD_MAX_STREAMS). "
                "Try again shortly.",
                retry_after_s=5,
            )
        if self._streams[client] >= self._most_per_client:
            raise Overloaded(
                f"A client may have {self._most_per_client} live streams at once "
                "(TWOFOLD_MAX_STREAMS_PER_CLIENT). End one first.",
                retry_after_s=5,
            )
        self._streams[client] += 1
        self._gauge.set(self._streams.total())
        try:
            yield
        finally:
            self._streams[client] -= 1
            self._streams += Counter()  # forgets clients without streams
            self._gauge.set(self._streams.total())

    async def run(self, work: Callable[[], T]) -> T:
        """The result of blocking work, done in a thread.

        A cancellation waits for the thread: what it works on may be closed next, and a decoder that is closed
        while it reads takes the process with it.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.gather(future, return_exceptions=True)
            raise

    def close(self) -> None:
        """Waits for the work being done, then ends the threads."""
        self._pool.shutdown()


async def embed_patiently(engine: Engine, waveforms: Float32) -> Float32:
    """Unit voices (crops, dim) of waveforms (crops, 16384). Waits where other calls would be told to."""
    if not len(waveforms):
        return waveforms
    while True:
        try:
            return await engine.embed(waveforms)
        except Overloaded:
            await asyncio.sleep(_PATIENCE_S)
