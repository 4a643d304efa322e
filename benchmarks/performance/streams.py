"""Live streams: how late `WS /listen` answers when many people are followed at once."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import httpx
import numpy as np
import soundfile
from websockets.asyncio.client import connect

from benchmarks.performance.serving import running_service
from benchmarks.performance.table import Measurement
from bundle.audio import SAMPLE_RATE_HZ
from service.inference.cpu import available_cpus

STREAMS = (10, 50, 100)
_SECONDS = 20.0  # of sound, each stream
_MESSAGE_SAMPLES = 2048  # 128 ms, as from a browser
_VOICES = 4  # enrolled


def listening_speed(
    bundle_dir: Path, wavs: list[bytes], streams: tuple[int, ...] = STREAMS
) -> Iterator[Measurement]:
    """A row for each number of streams, all in real time. Latency is from a step's last sample to its event.

    Args:
        wavs: 16-bit recordings of 16 kHz, mono. The first are enrolled, and all of them are sent.
    """
    with running_service(bundle_dir.parent.parent, max_streams_per_client=max(streams)) as service:
        with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
            for number, wav in enumerate(wavs[:_VOICES]):
                files = {"audio": ("a.wav", wav)}
                client.post("/speakers", data={"speaker_id": str(number)}, files=files).raise_for_status()
        sounds = [_pcm16(wav) for wav in wavs]
        for count in streams:
            before_s = service.cpu_s()
            latencies = asyncio.run(_streams(service.url, sounds, count))
            busy = (service.cpu_s() - before_s) / _SECONDS
            yield Measurement(
                "WS /listen",
                cores=int(available_cpus()),
                load=f"{count} streams",
                p50_s=float(np.percentile(latencies, 50)),
                p99_s=float(np.percentile(latencies, 99)),
                note=f"{len(latencies)} answers, the latest after {1000 * max(latencies):.0f} ms; "
                f"{busy:.2f} cores, {service.resident_mib():.0f} MiB",
            )


async def _streams(url: str, sounds: list[bytes], count: int) -> list[float]:
    """Latencies of all events of `count` streams, which begin one after the other within a step."""
    tasks = []
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            sound = sounds[number % len(sounds)]
            tasks.append(group.create_task(_stream(url, sound, delay_s=0.5 * number / count)))
    return [latency for task in tasks for latency in task.result()]


async def _stream(url: str, sound: bytes, *, delay_s: float) -> list[float]:
    """Sends sound over and over as if it were spoken now. Seconds from each step's end to its event."""
    await asyncio.sleep(delay_s)
    sent: list[float] = []  # when each message was sent
    latencies: list[float] = []
    message_bytes = 2 * _MESSAGE_SAMPLES
    message_s = _MESSAGE_SAMPLES / SAMPLE_RATE_HZ

    async with connect(
        f"ws://{urlsplit(url).netloc}/listen", compression=None, ping_interval=None, proxy=None
    ) as stream:
        ready = json.loads(await stream.recv())
        messages_a_step = round(ready["every_s"] / message_s)

        async def receive() -> None:
            async for text in stream:
                event = json.loads(text)
                if event["event"] == "now":
                    step = len(latencies)
                    last = (step + 1) * messages_a_step - 1
                    if last < len(sent):  # the last step is filled up with silence
                        latencies.append(perf_counter() - sent[last])
                elif event["event"] == "end":
                    return
                else:
                    raise RuntimeError(f"A stream ended: {text!r}")

        receiving = asyncio.create_task(receive())
        start = perf_counter()
        for number in range(round(_SECONDS / message_s)):
            await asyncio.sleep(start + (number + 1) * message_s - perf_counter())
            first = number * message_bytes % (len(sound) - message_bytes)
            await stream.send(sound[first : first + message_bytes])
            sent.append(perf_counter())
        await stream.send(json.dumps({"event": "end"}))
        await receiving
    return latencies


def _pcm16(wav: bytes) -> bytes:
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    return bytes(samples.tobytes())
