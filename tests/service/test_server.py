"""The process: start, stop, logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEY = "0123456789abcdef"


def test_the_banner_is_a_line_to_paste(service: Any) -> None:
    assert f"curl -F audio=@recording.wav {service.url}/embed" in service.banner


def test_it_listens_before_it_is_ready(start_service: Any, tmp_path: Path) -> None:
    service = start_service(tmp_path, ready=False)  # no model here: it never gets ready
    with service.client() as http:
        assert http.get("/healthz").status_code == 200
        for answer in (
            http.get("/readyz"),
            http.post("/embed", content=b"x", headers={"Content-Type": "audio/wav"}),
        ):
            assert answer.status_code == 503
            assert answer.json()["code"] == "not_ready"
            assert int(answer.headers["retry-after"]) >= 1
        while "is being loaded" in http.get("/readyz").json()["detail"]:
            time.sleep(0.05)
        assert "TWOFOLD_MODELS_DIR" in http.get("/readyz").json()["detail"]
    service.stop()


def test_sigterm_answers_requests_in_flight(start_service: Any, tiny_models: Path, speech: bytes) -> None:
    service = start_service(tiny_models)
    host, port = service.url.removeprefix("http://").split(":")
    head = (
        "POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/ogg\r\n"
        f"Content-Length: {len(speech)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(head.encode() + speech[:-1])
        with service.client() as http:  # the request is in: its place is taken
            while "twofold_audio_requests_in_flight 1.0" not in http.get("/metrics").text:
                time.sleep(0.02)
        service.process.send_signal(signal.SIGTERM)
        while True:  # until it no longer listens
            try:
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                break
            time.sleep(0.02)
        connection.sendall(speech[-1:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"embedding"' in answer
    assert service.stop() == 0


def test_a_client_that_leaves_is_noticed(start_service: Any, tiny_models: Path, speech: bytes) -> None:
    service = start_service(tiny_models)
    host, port = service.url.removeprefix("http://").split(":")
    head = (
        "POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/ogg\r\n"
        f"Content-Length: {len(speech)}\r\n\r\n"
    )
    with service.client() as http:
        # A request whose client left in its middle, and one whose client left at its end.
        for sent in (speech[:-1], speech):
            with socket.create_connection((host, int(port)), 30) as connection:
                connection.sendall(head.encode() + sent)
        while "twofold_audio_requests_in_flight 0.0" not in http.get("/metrics").text:
            time.sleep(0.02)
        metrics = http.get("/metrics").text
        assert 'route="/embed",status="499"' in metrics
        assert 'status="500"' not in metrics
    service.stop()


def test_logs_are_json_and_keep_secrets(start_service: Any, tiny_models: Path, speech: bytes) -> None:
    service = start_service(tiny_models, api_keys=KEY)
    with service.client() as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        http.headers["X-Request-ID"] = "trace-me"
        answer = http.post("/embed", files={"audio": ("Ada Lovelace.ogg", speech)})
        assert answer.status_code == 200
        http.get("/speakers/Ada%20Lovelace?name=Ada")
        http.post("/embed?note=Ada", files={"audio": ("Ada.wav", b"Ada")})
    service.stop()
    text = service.log_file.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request" and line["request_id"] == "trace-me"]
    assert len(requests) == 3
    assert (requests[0]["route"], requests[0]["status"]) == ("/embed", 200)
    assert "Ada" not in text
    assert "Lovelace" not in text
    assert KEY not in text
    first_number = str(answer.json()["results"][0]["embedding"][0])
    assert first_number not in text


def test_a_bundle_whose_graph_is_wrong_never_gets_ready(
    start_service: Any, tmp_path: Path, write_bundle: Any
) -> None:
    """Every hash is right; what the voice file holds is not a voice encoder."""
    folder = write_bundle(tmp_path / "models", "1.0.0")
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["files"]["voice"] = manifest["files"]["content"]
    (folder / "bundle.json").write_text(json.dumps(manifest))
    service = start_service(folder.parents[1], ready=False)
    with service.client() as http:
        while "is being loaded" in http.get("/readyz").json()["detail"]:
            time.sleep(0.05)
        assert http.get("/readyz").status_code == 503
    service.stop()
    assert "model_not_loaded" in service.log_file.read_text()


def test_without_onnxruntime_it_says_what_to_install(tmp_path: Path) -> None:
    # A real interpreter that has everything but onnxruntime.
    program = (
        "import sys; sys.modules['onnxruntime'] = None; sys.argv = ['service', 'serve'];"
        "import runpy; runpy.run_module('service', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TWOFOLD_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "pip install onnxruntime" in done.stderr
