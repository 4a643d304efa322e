"""Sends requests as bytes. An HTTP client would take as much of the cores as the service that it measures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

#: What `Wire.send` raises where there was no answer.
NoAnswerError = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Wire:
    """Connections to one service, used again where they are free. Belongs to one event loop."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._place = host, port
        self._timeout_s = timeout_s
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, request: bytes) -> Answer:
        """The answer to a request of `as_bytes`. Raises one of NoAnswerError."""
        async with asyncio.timeout(self._timeout_s):
            reader, writer = await self._connection()
            try:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").lower()
                lines = head.split("\r\n")
                fields = dict(line.split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
            except BaseException:
                writer.close()
                raise
        if fields.get("connection") == "close":
            writer.close()
        else:
            self._free.append((reader, writer))
        return Answer(int(lines[0].split()[1]), body)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The one that was used last, unless the service has closed it meanwhile; else a new one."""
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self._place)

    def close(self) -> None:
        """Closes the connections that are free."""
        for _, writer in self._free:
            writer.close()


def as_bytes(request: httpx.Request) -> bytes:
    """A request as it goes over the wire."""
    head = request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1\r\n"
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
    return head + fields + b"\r\n" + request.read()
