"""The service under load over loopback, against the same work in one process without HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, sleep

import httpx
import numpy as np

from benchmarks.performance.table import Measurement
from service.audio import AudioLimits, SpeechDetector, prepare
from service.inference.cpu import available_cpus
from trainer.bundles.runner import BundleRunner

CLIENTS = (1, 8, 32)
_SECONDS = 8.0  # of load, each number of clients
_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 15.0


class ServiceFailedError(Exception):
    """The service did not start, or answered with something else than 200."""


@dataclass(frozen=True)
class Running:
    """A service process that is ready."""

    url: str
    pid: int
    ready_after_s: float

    def resident_mib(self) -> float:
        """Its resident memory now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ServiceFailedError(f"Process {self.pid} shows no resident memory.")

    def cpu_s(self) -> float:
        """Its processor time so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serving_speed(bundle_dir: Path, wavs: list[bytes], wav_s: float) -> Iterator[Measurement]:
    """Rows of the in-process rate, of POST /embed with `wavs` of `wav_s` seconds, of start and memory."""
    cores = int(available_cpus())
    in_process = _in_process_rate(bundle_dir, wavs, cores)
    yield Measurement(
        "in process: decode, find speech, embed",
        cores=cores,
        load=f"{cores} threads",
        audio_s_per_s=in_process * wav_s,
        note=f"{in_process:.1f} files/s",
    )
    with running_service(bundle_dir.parent.parent) as service:
        idle_mib = service.resident_mib()
        for clients in CLIENTS:
            latencies, took_s = asyncio.run(_load(service.url, wavs, clients))
            rate = len(latencies) / took_s
            yield Measurement(
                f"POST /embed, {wav_s:.0f} s WAV",
                cores=cores,
                load=f"{clients} client{'s' if clients > 1 else ''}",
                audio_s_per_s=rate * wav_s,
                p50_s=float(np.percentile(latencies, 50)),
                p99_s=float(np.percentile(latencies, 99)),
                note=f"{rate:.1f} requests/s, {100 * rate / in_process:.0f} % of in process",
            )
        yield Measurement("service: start to ready", note=f"{service.ready_after_s:.2f} s")
        yield Measurement(
            "service: resident memory",
            note=f"{idle_mib:.0f} MiB when ready, {service.resident_mib():.0f} MiB after the load",
        )


@contextmanager
def running_service(models_dir: Path, *, worker: bool = False, **settings: object) -> Iterator[Running]:
    """`python -m service serve` on a free port with an empty state folder, ended by SIGTERM.

    `settings` are those of the service, by their names in lower case.

    Raises:
        ServiceFailedError: it was not ready within a minute.
    """
    with TemporaryDirectory() as state:
        environment = os.environ | {
            "TWOFOLD_STATE_DIR": state,
            "TWOFOLD_MODELS_DIR": str(models_dir.resolve()),
            "TWOFOLD_LOG_LEVEL": "warning",
            **{f"TWOFOLD_{name.upper()}": str(value) for name, value in settings.items()},
        }
        started = perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0", *(["--worker"] if worker else [])],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            url = _listening_url(process)
            _wait_until_ready(process, url)
            yield Running(url, process.pid, perf_counter() - started)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listening_url(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        for word in line.split():
            if word.startswith("http://"):
                return word
    raise ServiceFailedError("The service ended before it listened.")


def _wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = monotonic() + _READY_WITHIN_S
    with httpx.Client(base_url=url, trust_env=False) as client:
        while monotonic() < deadline and process.poll() is None:
            if client.get("/readyz").status_code == 200:
                return
            sleep(0.01)
    raise ServiceFailedError(f"The service was not ready within {_READY_WITHIN_S:.0f} s.")


async def _load(url: str, wavs: list[bytes], clients: int) -> tuple[list[float], float]:
    """Latencies of all requests in seconds, and how long it took; each client sends one after another."""
    latencies: list[float] = []
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as client:

        async def send(wav: bytes) -> float:
            start = perf_counter()
            answer = await client.post("/embed", content=wav, headers={"Content-Type": "audio/wav"})
            if answer.status_code != 200:
                raise ServiceFailedError(f"/embed answered {answer.status_code}: {answer.text[:300]}")
            return perf_counter() - start

        async def keep_sending(first: int) -> None:
            turn = first
            while perf_counter() < end:
                latencies.append(await send(wavs[turn % len(wavs)]))
                turn += 1

        await send(wavs[0])
        begin = perf_counter()
        end = begin + _SECONDS
        await asyncio.gather(*(keep_sending(client_number) for client_number in range(clients)))
        return latencies, perf_counter() - begin


def _in_process_rate(bundle_dir: Path, wavs: list[bytes], workers: int) -> float:
    """Files a second through the service's own decoder and the ONNX file, one file a thread, no HTTP."""
    bundle = BundleRunner.load(bundle_dir, threads=1)
    detector = SpeechDetector()
    limits = AudioLimits()
    bundle.embed(prepare(wavs[0], limits, detector).crops.waveforms)  # opens the session

    def embed_until(end: float) -> int:
        done = 0
        while perf_counter() < end:
            bundle.embed(prepare(wavs[done % len(wavs)], limits, detector).crops.waveforms)
            done += 1
        return done

    with ThreadPoolExecutor(workers) as pool:
        begin = perf_counter()
        done = sum(pool.map(embed_until, [begin + _SECONDS / 2] * workers))
        return done / (perf_counter() - begin)
