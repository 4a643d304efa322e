"""GET /healthz, /readyz, /metrics."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families


def samples(http: httpx.Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(http.get("/metrics").text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def test_alive_and_ready(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {
        "status": "ready",
        "model": "autodecompose/0.2.0",
        "notices": [],
    }


def test_metrics_count_what_happened(http: httpx.Client, speech: bytes) -> None:
    before = samples(http)
    answer = http.post("/embed", content=speech, headers={"Content-Type": "audio/ogg"}).json()
    http.post("/embed", content=b"", headers={"Content-Type": "text/plain"})
    http.get("/somewhere/Ada")
    after = samples(http)

    def grew(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after[key] - before.get(key, 0.0)

    assert grew("twofold_requests_total", method="POST", route="/embed", status="200") == 1
    assert grew("twofold_requests_total", method="POST", route="/embed", status="415") == 1
    assert grew("twofold_requests_total", method="GET", route="unmatched", status="404") == 1
    assert grew("twofold_request_seconds_count", route="/embed") == 2
    assert grew("twofold_rejections_total", code="unsupported_media") == 1
    assert grew("twofold_inference_seconds_count", encoder="voice") >= 1
    assert grew("twofold_batch_crops_sum", encoder="voice") >= answer["results"][0]["speech_s"] // 1.024
    assert abs(grew("twofold_audio_seconds_total") - answer["results"][0]["duration_s"]) < 1e-6
    assert after["twofold_queue_crops", ()] == 0
    assert ("twofold_gallery_speakers", ()) in after
    assert not any("Ada" in str(key) for key in after)
