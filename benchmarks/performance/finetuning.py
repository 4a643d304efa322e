"""From POST /finetune to a version that serves, over HTTP with the embedded queue and one worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, perf_counter, sleep

import httpx

from benchmarks.performance.serving import ServiceFailedError, running_service
from benchmarks.performance.table import Measurement
from service.inference.cpu import available_cpus

_OVER_WITHIN_S = 300.0


def finetuning_time(bundle_dir: Path, wav: bytes, wav_s: float) -> Iterator[Measurement]:
    """Jobs on one recording, one after the other: the first also waits for the worker to start."""
    with (
        running_service(bundle_dir.parent.parent, worker=True) as service,
        httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client,
    ):
        for load, steps in (("worker starting", 0), ("worker running", 0), ("worker running", 50)):
            begin = perf_counter()
            answer = client.post(
                "/finetune", files={"audio": ("speech.wav", wav)}, data={"steps": str(steps)}
            ).raise_for_status()
            job = _over(client, answer.headers["location"])
            trained_s = perf_counter() - begin
            client.post(f"/models/{job['version']}/activate").raise_for_status()
            yield Measurement(
                f"POST /finetune, {wav_s:.0f} s WAV, {steps} steps, to serving",
                cores=int(available_cpus()),
                load=load,
                note=f"{perf_counter() - begin:.1f} s: job {trained_s:.1f} ({_parts(job)}), activation",
            )


def _over(client: httpx.Client, job_url: str) -> dict[str, object]:
    deadline = monotonic() + _OVER_WITHIN_S
    while monotonic() < deadline:
        job: dict[str, object] = client.get(job_url).raise_for_status().json()
        if job["finished_at"] is not None:
            if job["state"] != "succeeded":
                raise ServiceFailedError(f"The job ended as {job['state']}: {job['error']}")
            return job
        sleep(0.05)
    raise ServiceFailedError(f"The job was not over within {_OVER_WITHIN_S:.0f} s.")


def _parts(job: dict[str, object]) -> str:
    report = job["report"]
    assert isinstance(report, dict)  # every job that succeeded has one
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in report["took_s"].items())
