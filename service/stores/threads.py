"""Threads for the blocking calls of stores, so that nothing else waits for a store that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from service.errors import StoreUnavailable

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 16
LONGEST_WAIT_S = 5.0  # for a thread, or for a turn to write
_SOON_S = 0.75
_RETRY_AFTER_S = 2


class StoreThreads:
    """Runs blocking calls of stores. Belongs to one event loop.

    asyncio's own threads are few, and a hung Redis would soon hold all of them: then searches would wait.
    """

    def __init__(self, threads: int = THREADS, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """A call that finds no thread within `longest_wait_s` is given up."""
        self._longest_wait_s = longest_wait_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `call` returns. Raises what it raises, and StoreUnavailable if it could not begin in time."""
        # Logs of the call keep the id of the request.
        future = self._pool.submit(copy_context().run, lambda: call(*args, **kwargs))
        result = asyncio.wrap_future(future)
        try:
            await asyncio.wait([result], timeout=self._longest_wait_s)
            if future.cancel():  # not begun; what has begun ends by the time limits of its store
                raise busy()
            return await result
        finally:
            result.cancel()  # where nobody waits for it any more

    async def soon(self, call: Callable[[], R]) -> R:
        """What `call`, which reads, returns within a second. Raises StoreUnavailable if it takes longer."""
        try:
            async with asyncio.timeout(_SOON_S):
                return await self.run(call)
        except TimeoutError:
            raise StoreUnavailable(
                "The store does not answer. Searches go on from memory; everything else may take seconds, "
                "or fail.",
                retry_after_s=_RETRY_AFTER_S,
            ) from None

    def close(self) -> None:
        """Waits for calls that have begun. No call may come later."""
        self._pool.shutdown(cancel_futures=True)


def busy() -> StoreUnavailable:
    """The error of a call that was never begun, because others hold the store for too long."""
    return StoreUnavailable(
        "The store is too slow for all that is asked of it. Nothing was changed; try again shortly.",
        retry_after_s=_RETRY_AFTER_S,
    )
