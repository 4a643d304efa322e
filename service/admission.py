"""Bounds how many audio requests are answered at once, and the memory that their uploads take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from service.errors import Overloaded


class Place:
    """The place of one request, and the memory that it holds."""

    def __init__(self, hold: Callable[[int], None]) -> None:
        self._hold = hold
        self.held_bytes = 0

    def hold(self, size: int) -> None:
        """Holds `size` more bytes until the request is answered. Raises Overloaded."""
        self._hold(size)
        self.held_bytes += size


class Admission:
    """Counts the requests being answered and their bytes. Belongs to one event loop, so it needs no lock."""

    def __init__(self, limit: int, max_bytes: int, gauge: Gauge) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._gauge = gauge
        self._inside = 0
        self._bytes = 0

    @contextmanager
    def admit(self) -> Iterator[Place]:
        """Holds one place. Raises Overloaded when all are taken."""
        if self._inside >= self._limit:
            raise Overloaded(
                f"The service is already answering {self._limit} audio requests. Try again shortly.",
                retry_after_s=1,
            )
        self._inside += 1
        self._gauge.set(self._inside)
        place = Place(self._take)
        try:
            yield place
        finally:
            self._bytes -= place.held_bytes
            self._inside -= 1
            self._gauge.set(self._inside)

    def _take(self, size: int) -> None:
        if self._bytes + size > self._max_bytes:
            raise Overloaded(
                f"The uploads being answered take {self._max_bytes} bytes of memory "
                "(TWOFOLD_MAX_UPLOAD_MEMORY_BYTES). Try again shortly, or send a smaller file.",
                retry_after_s=1,
            )
        self._bytes += size
