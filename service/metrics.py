"""Prometheus metrics of one application, in a registry of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CROPS = (1, 2, 4, 8, 16, 32, 64, 128)


#: Metrics that tell how many voices are enrolled: 201s of POST /speakers less 204s of its DELETE.
_TELLING = ("twofold_gallery_speakers", "twofold_requests", "twofold_request_seconds")


class Metrics:
    """Every metric that /metrics shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "twofold_requests_total", "Requests.", ["method", "route", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "twofold_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self.rejections = Counter(
            "twofold_rejections_total", "Requests refused, by problem code.", ["code"], registry=self.registry
        )
        self.in_flight = Gauge(
            "twofold_audio_requests_in_flight", "Audio requests being answered.", registry=self.registry
        )
        self.streams = Gauge("twofold_live_streams", "Live streams (WebSockets).", registry=self.registry)
        self.queue_depth = Gauge(
            "twofold_queue_crops", "Crops waiting for inference.", registry=self.registry
        )
        self.batch_size = Histogram(
            "twofold_batch_crops",
            "Crops in one ONNX call.",
            ["encoder"],
            buckets=_CROPS,
            registry=self.registry,
        )
        self.inference = Histogram(
            "twofold_inference_seconds",
            "Time of one ONNX call.",
            ["encoder"],
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self.generation = Histogram(
            "twofold_generation_seconds",
            "Time of one generated clip, by stage: network, phase (retrieval and waveform), style.",
            ["stage"],
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "twofold_audio_seconds_total", "Seconds of audio decoded.", registry=self.registry
        )
        self.speech_seconds = Counter(
            "twofold_speech_seconds_total", "Seconds of speech found.", registry=self.registry
        )
        self.gallery_size = Gauge("twofold_gallery_speakers", "Enrolled speakers.", registry=self.registry)

    def queued(self, crops: int) -> None:
        """`BatchObserver`: crops waiting now."""
        self.queue_depth.set(crops)

    def ran(self, encoder: str, crops: int, seconds: float) -> None:
        """`BatchObserver`: one ONNX call."""
        self.batch_size.labels(encoder).observe(crops)
        self.inference.labels(encoder).observe(seconds)

    def generated(self, stage: str, seconds: float) -> None:
        """`GenerationObserver`: one stage of one clip."""
        self.generation.labels(stage).observe(seconds)

    def render(self, *, counts_all: bool = True) -> bytes:
        """The text exposition format. Without `counts_all`, what tells the number of voices is left out."""
        return generate_latest(self.registry if counts_all else _Without(self.registry, _TELLING))


class _Without(Collector):
    """A registry without some of its metrics."""

    def __init__(self, registry: CollectorRegistry, names: Collection[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in self._registry.collect() if metric.name not in self._names)
