"""What live streams (WebSockets) share: keys, parameters, limits, messages, and how they end.

Before a stream is accepted, an error is an HTTP answer as of any other call. Afterwards it is an event
`problem` with the same fields, and the stream is closed: with 1013 where it may be opened again, else 1008.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, Literal, TypeVar, get_origin

import structlog
from fastapi import Depends, WebSocket
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.websockets import WebSocketDisconnect

from service.api.deps import Audit, RuntimeDep, client_of, key_tenant
from service.api.parameters import require_known
from service.api.problems import error_fields
from service.audio.streams import StreamCodec
from service.errors import BadRequest, TwofoldError
from service.listening import STEP_S
from service.settings import Settings
from service.speakers import VoiceIndex
from service.tenants import Tenant

P = TypeVar("P", bound=BaseModel)

MAX_MESSAGE_BYTES = 2**20
SUBPROTOCOL = "twofold"
_KEY_PROTOCOL = "bearer."  # a browser cannot send the header Authorization with a WebSocket
_DONE, _REFUSED, _DEFECT, _LATER = 1000, 1008, 1011, 1013  # RFC 6455, section 7.4.1; IANA's registry
_log = structlog.get_logger(__name__)


class StreamParams(BaseModel):
    """What every live stream is told of its sound."""

    sample_rate_hz: int = Field(16_000, ge=8_000, le=192_000, description="Of PCM. Opus always has 48000.")
    codec: StreamCodec = Field(
        "pcm16",
        description="`pcm16`: signed 16-bit samples, little-endian, one channel, any number a message. "
        "`opus`: one packet a message.",
    )


class ReadyEvent(BaseModel):
    """The first event of a stream: sound may come."""

    event: Literal["ready"] = "ready"
    model: str
    score_type: str
    sample_rate_hz: int
    codec: StreamCodec
    every_s: float = Field(description="Sound between two events.")
    max_seconds: float = Field(description="Sound after which the service ends the stream.")


def ready_event(index: VoiceIndex, params: StreamParams, *, max_seconds: float) -> ReadyEvent:
    """The first event of a stream with these parameters."""
    return ReadyEvent(
        model=index.model,
        score_type=index.scorer.score_type,
        sample_rate_hz=params.sample_rate_hz,
        codec=params.codec,
        every_s=STEP_S,
        max_seconds=max_seconds,
    )


def stream_key(websocket: WebSocket) -> str | None:
    """The key of a stream: from `Authorization: Bearer KEY`, or the subprotocol `bearer.KEY` of browsers."""
    scheme, _, key = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    offered: list[str] = websocket.scope.get("subprotocols", [])
    return next(
        (name.removeprefix(_KEY_PROTOCOL) for name in offered if name.startswith(_KEY_PROTOCOL)), None
    )


async def require_stream_key(websocket: WebSocket, runtime: RuntimeDep) -> Tenant:
    """As `require_key`. Raises MissingKey or Forbidden."""
    return key_tenant(websocket, runtime, stream_key(websocket), "WS")


StreamTenantDep = Annotated[Tenant, Depends(require_stream_key)]


async def _client(websocket: WebSocket, runtime: RuntimeDep, tenant: StreamTenantDep) -> str:
    return client_of(websocket, runtime, stream_key(websocket), tenant)


StreamClientDep = Annotated[str, Depends(_client)]


async def stream_within_rate(runtime: RuntimeDep, client: StreamClientDep) -> None:
    """Counts a stream as a request. Raises Overloaded."""
    runtime.requests.require(client, 1)
    runtime.requests.charge(client, 1)


async def _audit(websocket: WebSocket, runtime: RuntimeDep, tenant: StreamTenantDep) -> Audit:
    return Audit(runtime.audit, websocket, tenant)


StreamAuditDep = Annotated[Audit, Depends(_audit)]


def stream_params(params: type[P]) -> Callable[[WebSocket], Awaitable[P]]:
    """A dependency that validates the query of a stream. Raises RequestValidationError."""

    async def read(websocket: WebSocket) -> P:
        query = websocket.query_params
        require_known(query, params.model_fields)
        given: Mapping[str, Any] = {
            name: query.getlist(name)
            if get_origin(params.model_fields[name].annotation) is list
            else query[name]
            for name in query
        }
        try:
            return params.model_validate(given)
        except ValidationError as error:
            placed = [{**e, "loc": ("parameters", *e["loc"])} for e in error.errors()]
            raise RequestValidationError(placed) from None

    return read


class LiveStream:
    """The messages of an accepted stream."""

    def __init__(self, websocket: WebSocket, settings: Settings) -> None:
        self._websocket = websocket
        self._settings = settings
        self.idle = False  # whether it ended because nothing came

    async def sound(self) -> AsyncGenerator[bytes, None]:
        """The messages of sound, until `{"event": "end"}`, or until none came for `stream_idle_s`.

        The next one is read when the last one is worked off: a client that is too fast has to wait.

        Raises:
            WebSocketDisconnect: the client left.
            BadRequest: another message.
        """
        while True:
            try:
                async with asyncio.timeout(self._settings.stream_idle_s):
                    message = await self._websocket.receive()
            except TimeoutError:
                self.idle = True
                return
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            if (sound := message.get("bytes")) is not None:
                yield sound
            elif _is_end(message.get("text") or ""):
                return
            else:
                raise BadRequest(
                    'Send sound as binary messages, and {"event": "end"} as text behind the last.'
                )

    async def send(self, event: BaseModel) -> None:
        """Sends an event. A client that does not take it up is cut off: raises WebSocketDisconnect."""
        try:
            async with asyncio.timeout(self._settings.client_timeout_s):
                await self._websocket.send_text(event.model_dump_json())
        except (TimeoutError, RuntimeError):  # uvicorn's, where the connection was closed meanwhile
            raise WebSocketDisconnect(1006) from None


def _is_end(text: str) -> bool:
    try:
        return bool(json.loads(text) == {"event": "end"})
    except ValueError:
        return False


@asynccontextmanager
async def accepted(websocket: WebSocket, settings: Settings) -> AsyncIterator[LiveStream]:
    """Accepts a stream, and closes it when the block ends, with an event `problem` where it fails."""
    offered: list[str] = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    try:
        yield LiveStream(websocket, settings)
        await _close(websocket, _DONE)
    except WebSocketDisconnect:
        return
    except Exception as error:  # noqa: BLE001  the client is told, and the log has the place
        if not isinstance(error, TwofoldError):
            _log.exception("defect", error=type(error).__name__)
        fields = error_fields(error)
        websocket.state.problem = fields["code"]
        code = _DEFECT if fields["status"] == 500 else _LATER if fields["status"] in (429, 503) else _REFUSED
        await _close(websocket, code, {"event": "problem"} | fields)


async def _close(websocket: WebSocket, code: int, event: dict[str, Any] | None = None) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # it left meanwhile
        if event:
            await websocket.send_text(json.dumps(event))
        await websocket.close(code)
