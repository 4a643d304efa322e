"""What every request gets: an id, a log line, metrics, and an answer even if the service has a defect."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import internal_problem

_HEADER = "X-Request-ID"
#: What a page of another origin may read of an answer, beside its body.
EXPOSED_HEADERS = (_HEADER, "Location", "Retry-After", "X-Model", "X-Seed")
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
#: Calls of monitors and balancers.
PROBES = frozenset(("/healthz", "/readyz", "/metrics"))
_log = structlog.get_logger(__name__)


class RequestContext:
    """ASGI middleware. Logs route templates, never paths, queries or bodies: those can name people."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send, request_id)
            return
        status: int | None = None
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                # The log gets the traceback without values: they can hold audio or names.
                _log.exception("defect", error=type(error).__name__)
                if status is not None:
                    raise  # a part of the answer was sent: the server has to cut the connection
                await internal_problem(Request(scope))(scope, receive, send_with_id)
            finally:
                _record(scope, status or 500, time.perf_counter() - started)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Answers a live stream, which tells its client of defects itself."""
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send)
            finally:
                code: str | None = scope["state"].get("problem")
                if code:
                    scope["app"].state.runtime.metrics.rejections.labels(code).inc()
                route: str = getattr(scope.get("route"), "path_format", "unmatched")
                _log.info("stream", route=route, code=code, seconds=round(time.perf_counter() - started, 1))


def _request_id(headers: Headers) -> str:
    given = headers.get(_HEADER, "")
    return given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex


def _record(scope: Scope, status: int, seconds: float) -> None:
    route: str = getattr(scope.get("route"), "path_format", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    code: str | None = scope["state"].get("problem")
    metrics = scope["app"].state.runtime.metrics
    metrics.requests.labels(method, route, status).inc()
    metrics.latency.labels(route).observe(seconds)
    if code:
        metrics.rejections.labels(code).inc()
    # Probes come every few seconds. Only their failures are of interest.
    log = _log.debug if route in PROBES and status < 400 else _log.info
    log("request", method=method, route=route, status=status, code=code, seconds=round(seconds, 4))
