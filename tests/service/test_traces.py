"""Spans as a collector gets them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service.settings import Settings
from service.startup import obstacles
from tests.service.in_process import serving

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Its URL, and the bodies that it got."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_requests_and_their_stages_are_spans_that_name_nobody(
    collector: tuple[str, list[bytes]], tiny_models: Path, tmp_path: Path, speech: bytes
) -> None:
    url, bodies = collector
    settings = Settings(models_dir=tiny_models, state_dir=tmp_path, traces_url=url)
    with serving(settings) as http:
        parent = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        assert http.post("/embed", files={"audio": ("a.opus", speech)}, headers=parent).status_code == 200
        assert http.get("/speakers/secret-ann?limit=secret").status_code in (404, 422)
    spans = [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    (embed,) = [span for span in spans if span.name == "POST /embed"]
    assert (embed.trace_id.hex(), embed.parent_span_id.hex()) == (TRACE, CALLER)
    stages = [span for span in spans if span.parent_span_id == embed.span_id]
    assert sorted(span.name for span in stages) == ["decode", "embed"]
    attributes = {a.key: a.value.string_value or a.value.int_value for a in embed.attributes}
    assert attributes == {
        "http.request.method": "POST",
        "http.route": "/embed",
        "http.response.status_code": 200,
    }
    (shown,) = [span for span in spans if span.name == "GET /speakers/{speaker_id}"]
    assert shown.parent_span_id == b""
    assert "error.type" in [attribute.key for attribute in shown.attributes]
    assert b"secret" not in b"".join(bodies)


def test_without_its_packages_the_service_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(traces_url="http://127.0.0.1:4318/v1/traces")
    assert obstacles(settings) == []
    monkeypatch.setattr("service.startup.installed", lambda _: False)
    assert "twofold[traces]" in obstacles(settings)[0]
