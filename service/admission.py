"""How many audio requests may be in the house at once, which bounds memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from service.errors import Overloaded


class Admission:
    """Counts the requests inside. For one event loop: no locks."""

    def __init__(self, limit: int, gauge: Gauge) -> None:
        self._limit = limit
        self._gauge = gauge
        self._inside = 0

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Holds one place. Raises Overloaded when there is none."""
        if self._inside >= self._limit:
            raise Overloaded(
                f"{self._limit} audio requests are being answered already. Try again shortly.",
                retry_after_s=1,
            )
        self._inside += 1
        self._gauge.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self._gauge.set(self._inside)
