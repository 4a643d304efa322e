"""Connections of clients that are slow, silent or too many. Uvicorn alone would keep them for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class GuardedProtocol(H11Protocol):
    """One connection. `guarded` sets its limits; uvicorn makes one object a connection."""

    client_timeout_s: float
    max_connections: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self.waiting_since = self.loop.time()

    @property
    def answering(self) -> bool:
        """Whether a request is being answered; else the connection waits for one."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Makes room if there are too many connections, and gives the client its time for the headers."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._make_room()
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes bytes in. The time for the headers runs from their first byte, however many follow."""
        super().data_received(data)
        if self.answering:
            self._stop()
        elif self._deadline is None:
            self._start()

    def on_response_complete(self) -> None:
        """An answer was sent: the keep-alive time runs."""
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not take up the answer as fast as it is made: it has a time to go on."""
        super().pause_writing()
        self._start()

    def resume_writing(self) -> None:
        """The client has taken up what was waiting."""
        super().resume_writing()
        self._stop()

    def _make_room(self) -> None:
        """Closes the connection that has waited longest for a request; this one, if none waits."""
        waiting = [c for c in self.connections if isinstance(c, GuardedProtocol) and not c.answering]
        min(waiting, key=lambda connection: connection.waiting_since, default=self).give_up()

    def _start(self) -> None:
        self._stop()
        self._deadline = self.loop.call_later(self.client_timeout_s, self.give_up)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def give_up(self) -> None:
        """Closes the connection, unless a WebSocket has taken it over."""
        self._deadline = None
        if self in self.connections:
            self.connections.discard(self)
            self.transport.abort()


def guarded(*, client_timeout_s: float, max_connections: int) -> type[GuardedProtocol]:
    """The protocol class for uvicorn, with these limits."""
    limits = {"client_timeout_s": client_timeout_s, "max_connections": max_connections}
    return type("GuardedProtocol", (GuardedProtocol,), limits)
