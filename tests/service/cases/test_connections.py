"""C13, C15 and C18: clients that hide, are slow or silent, or are too many."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from service.api.deps import ClientDep, client_digest, require_key
from service.api.forms import read_multipart
from service.app import create_app
from service.server import uvicorn_config
from service.settings import Settings
from tests.service.conftest import RunningService, StartService

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPLOAD = (
    b"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\nRIFF"
)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the client's address; `/endless` more than any buffer holds; `/wait` after the body."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/wait":
        while (await receive()).get("more_body"):
            pass
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while scope["path"] == "/endless":
        await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": json.dumps(scope["client"][0]).encode()})


@contextmanager
def listening(**settings: object) -> Iterator[int]:
    """The port of a server that is set up as the service is, in a thread of this process."""
    server = uvicorn.Server(uvicorn_config(echo, Settings(port=0, **settings)))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side closes the connection, within the socket's timeout."""
    try:
        while connection.recv(2**16):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def answers(connection: socket.socket) -> bool:
    """Whether a request gets an answer."""
    connection.sendall(REQUEST)
    return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """The port of a server that waits half a second for its clients, and takes eight at once."""
    with listening(client_timeout_s=0.5, max_connections=8) as port:
        yield port


Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(impatient: int) -> Iterator[Connect]:
    """Opens connections to the impatient server; all are closed at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", impatient), 10))


def drip(connection: socket.socket, data: bytes) -> None:
    """Sends a byte at a time, until all is sent or the other side closes."""
    try:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
    except ConnectionError:
        pass


def test_c15_a_connection_without_a_request_is_closed(connect: Connect) -> None:
    assert is_closed(connect())


def test_c15_headers_have_a_time_however_they_come(connect: Connect) -> None:
    connection = connect()
    drip(connection, b"GET / HTTP/1.1\r\nX: " + b"x" * 50)
    assert is_closed(connection)


def test_c15_so_have_those_of_a_second_request(connect: Connect) -> None:
    connection = connect()
    assert answers(connection)
    drip(connection, b"GET / HTTP/1.1\r\nX: " + b"x" * 50)
    assert is_closed(connection)


def test_c15_a_body_that_nobody_reads_does_not_hold_a_connection(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    drip(connection, b"x" * 50)
    assert is_closed(connection)


def test_c15_a_client_that_does_not_read_its_answer_is_left(connect: Connect) -> None:
    connection = connect()
    connection.sendall(REQUEST.replace(b"GET / ", b"GET /endless "))
    connection.recv(1)
    time.sleep(1.0)
    assert is_closed(connection)


def test_c15_a_request_that_is_being_answered_may_take_longer(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
    time.sleep(1.0)
    connection.sendall(b"x")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_c15_half_open_connections_shut_nobody_out(connect: Connect) -> None:
    for _ in range(700):
        connect().sendall(b"GET ")
    assert answers(connect())


def test_c15_requests_being_answered_are_never_closed_for_another(connect: Connect) -> None:
    busy = [connect() for _ in range(8)]
    for connection in busy:
        connection.sendall(b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
    time.sleep(0.2)
    assert is_closed(connect())
    for connection in busy:
        connection.sendall(b"x")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.fixture(scope="module")
def small(start_service: StartService, tiny_models: Path) -> RunningService:
    """A service with little memory for uploads."""
    return start_service(tiny_models, max_bytes=10**6, max_upload_memory_bytes=4 * 10**6, max_in_flight=8)


def test_c15_slow_uploads_lose_their_places(small: RunningService, speech: bytes) -> None:
    host, port = small.url.removeprefix("http://").split(":")
    with ExitStack() as stack, small.client() as http:
        slow = [stack.enter_context(socket.create_connection((host, int(port)), 30)) for _ in range(8)]
        for connection in slow:
            connection.sendall(UPLOAD % 1000)
        wait_for_places(http, 8)
        audio = {"content": speech, "headers": {"Content-Type": "audio/ogg"}}
        assert http.post("/embed", **audio).status_code == 429
        for connection in slow:  # none has waited for the 60 s that an upload may take
            assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert http.post("/embed", **audio).status_code == 200


def test_c15_the_memory_of_uploads_is_bounded_in_bytes(small: RunningService, speech: bytes) -> None:
    host, port = small.url.removeprefix("http://").split(":")
    with ExitStack() as stack, small.client() as http:
        for _ in range(2):  # twice a body of 1 MB each, with places left
            connection = stack.enter_context(socket.create_connection((host, int(port)), 30))
            connection.sendall(UPLOAD % 10**6)
        wait_for_places(http, 2)
        audio = {"content": speech, "headers": {"Content-Type": "audio/ogg"}}
        answer = http.post("/embed", **audio)
        assert (answer.status_code, answer.json()["code"]) == (429, "overloaded")
        assert "TWOFOLD_MAX_UPLOAD_MEMORY_BYTES" in answer.json()["detail"]
        stack.close()
        wait_for_places(http, 0)
        assert http.post("/embed", **audio).status_code == 200


def test_c15_uploads_never_touch_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be full, and nothing would erase what lies there."""

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b'--B\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
        for _ in range(3):
            yield bytes(2**20)
        yield b"\r\n--B--\r\n"

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    headers = Headers({"Content-Type": "multipart/form-data; boundary=B"})
    reading = read_multipart(headers, chunks(), file_field="audio", max_files=1, max_bytes=2**26)
    (upload,), fields = asyncio.run(reading)
    assert (upload.data, fields) == (bytes(3 * 2**20), [])


def wait_for_places(http: httpx.Client, taken: int) -> None:
    """Waits until that many audio requests are inside."""
    for _ in range(1000):
        if f"twofold_audio_requests_in_flight {taken}.0" in http.get("/metrics").text:
            return
        time.sleep(0.02)
    raise AssertionError(f"there were never {taken} requests")


def test_c18_an_idle_connection_outlives_a_proxys() -> None:
    assert Settings().keep_alive_s > 60  # what nginx and cloud balancers wait
    assert uvicorn_config(echo, Settings(keep_alive_s=99)).timeout_keep_alive == 99
    with listening(keep_alive_s=1) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert answers(connection)
        assert is_closed(connection)


def test_c13_a_key_is_one_client_however_it_is_written(tmp_path: Path, tiny_models: Path) -> None:
    keys = ("first-key-0123456789", "second-key-0123456789")
    app = create_app(Settings(models_dir=tiny_models, state_dir=tmp_path, api_keys=",".join(keys)))

    @app.get("/client", dependencies=[Depends(require_key)])
    async def client_of(client: ClientDep) -> str:
        return client

    async def clients(*headers: str) -> set[str]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
        ):
            return {(await http.get("/client", headers={"Authorization": h})).json() for h in headers}

    digests = asyncio.run(clients(*(f"{scheme} {keys[0]}" for scheme in ("Bearer", "bearer", "BEARER"))))
    assert len(digests) == 1
    assert digests.isdisjoint(asyncio.run(clients(f"Bearer {keys[1]}")))


def test_c13_a_household_is_one_client() -> None:
    assert client_digest("2001:db8::1") == client_digest("2001:db8::ffff:2")
    assert client_digest("2001:db8::1") != client_digest("2001:db8:0:1::1")
    assert client_digest("fe80::1%eth0") == client_digest("fe80::2%eth0")
    assert client_digest("192.0.2.1") != client_digest("192.0.2.2")
    assert client_digest("::ffff:192.0.2.1") == client_digest("192.0.2.1")


def test_c13_a_proxys_headers_count_only_where_a_setting_trusts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    for trusted, client in (("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1", "203.0.113.9")):
        with listening(trusted_proxies=trusted) as port:
            assert httpx.get(f"http://127.0.0.1:{port}/", headers=forwarded).json() == client
