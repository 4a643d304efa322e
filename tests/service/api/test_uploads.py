"""Both body forms, and every way to get them wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

MULTIPART = "multipart/form-data; boundary=B"


def part(disposition: str, body: bytes = b"x") -> bytes:
    return b"--B\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + body + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        (None, b"", 415, "unsupported_media"),
        ("text/plain", b"x", 415, "unsupported_media"),
        ("application/json", b"{}", 415, "unsupported_media"),
        ("audio/midi", b"x", 415, "unsupported_media"),
        ("application/x-www-form-urlencoded", b"audio=x", 415, "unsupported_media"),
        ("multipart/form-data", b"", 400, "bad_request"),
        (MULTIPART, b"", 400, "bad_request"),
        (MULTIPART, b"nothing like it", 400, "bad_request"),
        (MULTIPART, b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="audio"; filename="a.wav"'), 400, "bad_request"),  # cut off
        (MULTIPART, part("filename=a") + b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="audio"') + b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="file"; filename="a.wav"') + b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="segments"') * 2 + b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="n"', b"\xff\xfe") + b"--B--\r\n", 400, "bad_request"),
        (MULTIPART, part('name="x"', b"y" * 2**21) + b"--B--\r\n", 413, "too_large"),
        (f"{MULTIPART}; charset=undefined", part('name="n"') + b"--B--\r\n", 415, "unsupported_media"),
        ("Audio/WAV; codecs=1", b"", 422, "invalid_audio"),
    ],
)
def test_what_is_no_audio_request_is_refused(
    http: httpx.Client, content_type: str | None, body: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = http.post("/embed", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_body_that_was_cut_off_is_refused_whole(http: httpx.Client, speech: bytes) -> None:
    two = part('name="audio"; filename="a"', speech) + part('name="audio"; filename="b"', speech[:999])
    answer = http.post("/embed", content=two, headers={"Content-Type": MULTIPART})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "last boundary" in answer.json()["detail"]
    whole = part('name="audio"; filename="a"', speech) + b"--B--"  # the line's end may be missing
    assert http.post("/embed", content=whole, headers={"Content-Type": MULTIPART}).status_code == 200


def test_a_parameter_is_given_once_and_audio_never_as_one(http: httpx.Client, speech: bytes) -> None:
    raw = {"content": speech, "headers": {"Content-Type": "audio/ogg"}}
    for query in ("segments=true&segments=false", "audio=a.wav"):
        answer = http.post(f"/embed?{query}", **raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), query


def test_the_commonest_mistake_with_curl_is_explained(http: httpx.Client) -> None:
    answer = http.post("/embed", data={"audio": "recording.wav"}, files={"x": ("", b"")})
    assert "@" in answer.json()["detail"]


def test_parameters_are_validated_wherever_they_are(http: httpx.Client, speech: bytes) -> None:
    answers = [
        http.post("/embed?segments=maybe", content=speech, headers={"Content-Type": "audio/ogg"}),
        http.post("/embed", files={"audio": ("a", speech)}, data={"segments": "maybe"}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
        assert answer.json()["errors"][0]["loc"] == ["parameters", "segments"]
        assert "maybe" not in answer.text


@pytest.fixture(scope="module")
def small(start_service: Any, tiny_models: Path) -> Iterator[httpx.Client]:
    """A service with small limits."""
    service = start_service(tiny_models, max_bytes=200_000, max_files=2, max_seconds=20, upload_timeout_s=1)
    with service.client() as client:
        yield client
    assert service.process.poll() is None
    service.stop()


def endless(piece: bytes = b"\0" * 16384) -> Iterator[bytes]:
    """A gigabyte, should anybody read that far."""
    for _ in range(2**30 // len(piece)):
        yield piece


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("content_type", ["audio/wav", MULTIPART])
def test_a_body_too_large_is_refused_while_it_is_read(
    small: httpx.Client, content_type: str, announced: bool
) -> None:
    head = part('name="audio"; filename="a.wav"', b"") if content_type == MULTIPART else b""
    body: bytes | Iterator[bytes] = head + b"\0" * 300_000
    if not announced:

        def chunked() -> Iterator[bytes]:
            yield head
            yield from endless()

        body = chunked()
    answer = small.post("/embed", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["max_bytes"] == 200_000
    assert answer.headers["connection"] == "close"  # nobody reads on


def test_too_many_files_are_refused(small: httpx.Client) -> None:
    answer = small.post("/embed", files=[("audio", (str(i), b"x")) for i in range(3)])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_files_that_are_too_long_together_are_refused(small: httpx.Client, speech: bytes) -> None:
    assert small.post("/embed", files={"audio": ("a", speech)}).status_code == 200
    answer = small.post("/embed", files=[("audio", (str(i), speech)) for i in range(2)])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "together" in answer.json()["detail"]


def test_a_body_that_does_not_come_is_given_up(small: httpx.Client) -> None:
    import socket

    url = small.base_url
    with socket.create_connection((url.host, url.port or 80), 30) as connection:
        connection.sendall(
            b"POST /embed HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: audio/wav\r\nContent-Length: 9\r\n\r\nRIFF"
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_more_requests_than_places_are_refused(start_service: Any, tiny_models: Path, speech: bytes) -> None:
    import socket

    service = start_service(tiny_models, max_in_flight=1)
    with service.client() as http:
        url = http.base_url
        with socket.create_connection((url.host, url.port or 80), 30) as connection:
            connection.sendall(
                b"POST /embed HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: audio/wav\r\nContent-Length: 9\r\n\r\nRIFF"
            )
            while "twofold_audio_requests_in_flight 1.0" not in http.get("/metrics").text:
                pass
            answer = http.post("/embed", content=speech, headers={"Content-Type": "audio/ogg"})
            assert (answer.status_code, answer.json()["code"]) == (429, "overloaded")
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["retry_after_s"] == 1
    service.stop()
