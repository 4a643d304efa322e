"""Bounds how many audio requests are answered at once, and so the memory they take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from service.errors import Overloaded


class Admission:
    """Counts the requests being answered. Belongs to one event loop, so it needs no lock."""

    def __init__(self, limit: int, gauge: Gauge) -> None:
        self._limit = limit
        self._gauge = gauge
        self._inside = 0

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Holds one place. Raises Overloaded when all are taken."""
        if self._inside >= self._limit:
            raise Overloaded(
                f"The service is already answering {self._limit} audio requests. Try again shortly.",
                retry_after_s=1,
            )
        self._inside += 1
        self._gauge.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self._gauge.set(self._inside)
