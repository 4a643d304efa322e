"""Live streams: `listen` sends sound while it comes, and gives what the service says of it.

    from service.client.listening import listen

    for event in listen("http://127.0.0.1:8000", microphone()):
        print(event.speaker if event.event == "now" else event.diarization)

This module needs websockets, which the rest of the client does not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import ClientConnection, connect

from service.client.answers import Answer, CandidateAnswer, DiarizedSpeaker, NamedSpeaker, TurnAnswer
from service.client.errors import ClientError, ServiceRefused, ServiceUnreachable
from service.client.requests import fields_of, headers_of

_AHEAD_S = 10.0  # of sound that may be sent before it is answered


class NowEvent(Answer):
    """Who speaks now."""

    event: Literal["now"]
    at_s: float
    speech: bool
    speaker: NamedSpeaker | None
    unknown: bool
    since_s: float | None
    speech_s: float | None
    threshold: float | None
    threshold_collection: str | None = None
    candidates: list[CandidateAnswer]
    level_dbfs: float | None
    clipped: float


class Diarized(Answer):
    """Who spoke when in the whole stream."""

    duration_s: float
    segments: list[TurnAnswer]
    speakers: list[DiarizedSpeaker]
    warnings: list[str]
    score_type: str
    model: str


class EndEvent(Answer):
    """The last event."""

    event: Literal["end"]
    reason: Literal["asked", "idle", "full"]
    diarization: Diarized


def listen(
    url: str,
    sound: Iterable[bytes],
    *,
    key: str | None = None,
    sample_rate_hz: int = 16_000,
    codec: str = "pcm16",
    **parameters: object,
) -> Iterator[NowEvent | EndEvent]:
    """What `WS /listen` says of sound, as it comes; the last event is an `EndEvent`.

    Args:
        url: of the service, as http:// or https://.
        sound: messages of 16-bit PCM, or Opus packets. It may be endless: another thread reads it.
        parameters: of POST /diarize, and `top_k`.

    Raises:
        ServiceUnreachable: no service answers.
        ServiceRefused: before the first event, or instead of one.
        ClientError: the connection breaks.
    """
    query = urlencode(fields_of({"sample_rate_hz": sample_rate_hz, "codec": codec} | parameters))
    bytes_per_s = 2 * sample_rate_hz if codec == "pcm16" else None
    with _opened(f"{_socket_url(url)}/listen?{query}", url, key) as stream:
        sender = _Sender(stream, sound, bytes_per_s)
        sender.start()
        try:
            yield from _events(stream, sender)
        except ConnectionClosed:
            if sender.error:
                raise sender.error from None
            raise ClientError(f"The stream to {url} broke off.") from None
        finally:
            sender.stop()


def _events(stream: ClientConnection, sender: _Sender) -> Iterator[NowEvent | EndEvent]:
    while True:
        event = json.loads(stream.recv())
        match event["event"]:
            case "now":
                sender.answered(event["at_s"])
                yield NowEvent.model_validate(event)
            case "end":
                yield EndEvent.model_validate(event)
                return
            case "problem":
                waiting = event.get("retry_after_s")
                raise ServiceRefused(event["status"], event["code"], event["detail"], waiting)


class _Sender(threading.Thread):
    """Sends the sound of one stream, PCM at most `_AHEAD_S` before its answers."""

    def __init__(self, stream: ClientConnection, sound: Iterable[bytes], bytes_per_s: int | None) -> None:
        super().__init__(name="sound", daemon=True)
        self._stream = stream
        self._sound = sound
        self._bytes_per_s = bytes_per_s
        self._changed = threading.Condition()
        self._stopping = False
        self._answered_s = 0.0
        self.error: Exception | None = None  # that the sound raised

    def answered(self, seconds: float) -> None:
        """Tells how much of the sound was answered."""
        with self._changed:
            self._answered_s = seconds
            self._changed.notify()

    def stop(self) -> None:
        """Sends no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        """Sends all of it, then says that it is the end."""
        sent = 0
        try:
            for message in self._sound:
                with self._changed:
                    while not (self._stopping or self._may_send(sent)):
                        self._changed.wait()
                    if self._stopping:
                        return
                self._stream.send(message)
                sent += len(message)
            self._stream.send(json.dumps({"event": "end"}))
        except ConnectionClosed:
            return  # whoever reads the events says why
        except Exception as error:  # noqa: BLE001  of the sound; `listen` raises it
            self.error = error
            self._stream.close()

    def _may_send(self, sent: int) -> bool:
        return self._bytes_per_s is None or sent / self._bytes_per_s < self._answered_s + _AHEAD_S


def _opened(socket_url: str, url: str, key: str | None) -> ClientConnection:
    try:
        # Pings would wait behind the sound.
        return connect(
            socket_url, additional_headers=headers_of(key), compression=None, ping_interval=None, proxy=None
        )
    except InvalidStatus as error:
        raise _refusal(error, url) from None
    except (OSError, TimeoutError):
        raise ServiceUnreachable(f"No service answers at {url}.") from None
    except (InvalidHandshake, InvalidURI) as error:
        raise ClientError(f"{url}: {error}") from None


def _refusal(error: InvalidStatus, url: str) -> ClientError:
    try:
        body = json.loads(error.response.body)
        return ServiceRefused(body["status"], body["code"], body["detail"], body.get("retry_after_s"))
    except (ValueError, KeyError):
        return ClientError(f"{url} answered {error.response.status_code}. Does Twofold listen there?")


def _socket_url(url: str) -> str:
    """The same address for a WebSocket."""
    parts = urlsplit(url)
    return parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl().rstrip("/")
