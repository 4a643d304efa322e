"""Traces for OpenTelemetry, where TWOFOLD_TRACES_URL asks for them: a span a request, and one for each stage.

Spans name routes, never paths, queries or people. The extra `traces` has the packages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)  # of the request being answered


def exporting(url: str, version: str) -> TracerProvider:
    """Sends spans to a collector (OTLP over HTTP) in a thread of its own. OTEL_* variables add attributes."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "twofold", "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider


@contextmanager
def stage(name: str) -> Iterator[None]:
    """A span of the request being answered. Without traces, nothing."""
    tracer = _tracer.get()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, record_exception=False):  # its message could quote a caller
        yield


class RequestSpans:
    """ASGI middleware. A request's span goes on the trace of its `traceparent` header."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer("twofold")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Live streams have no span: they last for hours."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract(Headers(scope=scope))
        with self._tracer.start_as_current_span(
            scope["method"], parent, SpanKind.SERVER, record_exception=False
        ) as span:

            async def send_with_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            token = _tracer.set(self._tracer)
            trace_id = f"{span.get_span_context().trace_id:032x}"
            try:
                with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                    await self._app(scope, receive, send_with_status)
            finally:
                _tracer.reset(token)
                route: str = getattr(scope.get("route"), "path_format", "unmatched")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                if code := scope.get("state", {}).get("problem"):
                    span.set_attribute("error.type", code)
