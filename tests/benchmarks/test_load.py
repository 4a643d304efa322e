"""The tables of soak and overload say what was seen."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from benchmarks.load.overload import Overload
from benchmarks.load.page import _overload, _soak
from benchmarks.load.soak import Soak
from benchmarks.load.traffic import Answers
from benchmarks.load.vitals import Vitals, thirds
from benchmarks.load.wire import NoAnswerError, Wire, as_bytes


class _Echo(BaseHTTPRequestHandler):
    """Sends the body back, and in a header whether the connection has been used before."""

    protocol_version = "HTTP/1.1"
    timeout = 0.5
    answered = 0

    def do_POST(self) -> None:
        """Answers 200, or nothing to /nothing."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/nothing":
            self.close_connection = True
            return
        self.answered += 1
        body += f" {self.answered}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_requests_go_over_one_connection_until_it_breaks() -> None:
    async def talk(port: int) -> list[bytes]:
        wire = Wire("127.0.0.1", port, 10.0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            hello, nothing = (
                as_bytes(http.build_request("POST", p, content=b"hello")) for p in ("/", "/nothing")
            )
        bodies = [(await wire.send(hello)).body, (await wire.send(hello)).body]
        with pytest.raises(NoAnswerError):
            await wire.send(nothing)
        bodies.append((await wire.send(hello)).body)
        await asyncio.sleep(2 * _Echo.timeout)  # the server closes what waits for so long
        bodies.append((await wire.send(hello)).body)
        wire.close()
        return bodies

    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert asyncio.run(talk(server.server_port)) == [b"hello 1", b"hello 2", b"hello 1", b"hello 1"]
        finally:
            server.shutdown()
            thread.join()


def test_growth_is_seen() -> None:
    first, last = thirds([Vitals(100.0 + i, 20, 10 + i) for i in range(9)])
    assert (first, last) == (Vitals(101.0, 20, 11), Vitals(107.0, 20, 17))


@pytest.mark.parametrize(
    ("served_s", "refused_s", "verdicts"),
    [
        (0.9, 0.2, ("second: met", "p99: met (1.8 times)")),
        (1.1, 1.2, ("second: missed", "p99: missed (2.2 times)")),
    ],
)
def test_a_missed_goal_is_said(served_s: float, refused_s: float, verdicts: tuple[str, str]) -> None:
    at = Answers(Counter({200: 10}), [0.5] * 10, seconds=1.0)
    beyond = Answers(Counter({200: 10, 429: 5}), [served_s] * 10, [refused_s] * 5, seconds=1.0)
    page = _overload(Overload(at, beyond, at), 1.0)
    assert all(verdict in page for verdict in verdicts)


def test_what_broke_is_counted_and_shown() -> None:
    answers = Answers(
        Counter({200: 9, 503: 2, 500: 1, 0: 1}), [0.1] * 9, first={500: "internal"}, seconds=1.0
    )
    assert answers.broken == 2
    vitals = [Vitals(1.0, 2, 3)]
    page = _soak(Soak(9.0, 0.2, 8.0, answers, Counter(succeeded=3), vitals, vitals), 2.0)
    assert "| 2 | 3 succeeded |" in page.replace("| 2 | 2 |", "| 2 |")
    assert "First answer 500: internal" in page
