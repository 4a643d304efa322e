"""For long at nine tenths of the capacity, while a worker runs jobs: does anything grow?"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.load.traffic import SETTINGS, Answers, traffic_to
from benchmarks.load.vitals import Vitals, vitals
from benchmarks.performance.serving import Running, running_service
from trainer.terminal import Say

CLIENTS = 8  # that measure the capacity
_CAPACITY_S = 40.0
_LOAD = 0.9  # of the capacity
_WARM_S = 60.0  # before the first look
_SAMPLE_S = 5.0


@dataclass
class Soak:
    """What was seen."""

    capacity: float = 0.0  # requests a second
    capacity_p99_s: float = 0.0
    rate: float = 0.0  # requests a second that were sent
    answers: Answers = field(default_factory=Answers)
    jobs: Counter[str] = field(default_factory=Counter)  # ends by state
    server: list[Vitals] = field(default_factory=list)
    worker: list[Vitals] = field(default_factory=list)


def soak(models_dir: Path, minutes: float, say: Say) -> Soak:
    """Measures the capacity while a worker runs jobs, then sends 90 % of it for so many minutes.

    Raises ServiceFailedError, httpx.HTTPError.
    """
    with running_service(models_dir, worker=True, finetune_threads=1, **SETTINGS) as service:
        return asyncio.run(_soak(service, 60 * minutes, say))


async def _soak(service: Running, seconds: float, say: Say) -> Soak:
    seen = Soak()
    async with traffic_to(service.url) as traffic:
        jobs = asyncio.create_task(traffic.jobs(seen.jobs))
        capacity = await traffic.by_clients(CLIENTS, _CAPACITY_S)
        seen.capacity, seen.capacity_p99_s = capacity.rate, capacity.percentile(99)
        seen.rate = _LOAD * capacity.rate
        say(f"capacity {seen.capacity:.1f} requests a second")
        looking = asyncio.create_task(_look(service.pid, seen, say))
        await traffic.at_rate(seen.rate, seconds, seen.answers)
        for task in (jobs, looking):
            task.cancel()
        await asyncio.wait([jobs, looking])
        for task in (jobs, looking):
            if not task.cancelled() and (error := task.exception()):
                raise error
    return seen


async def _look(server: int, seen: Soak, say: Say) -> None:
    start = perf_counter()
    await asyncio.sleep(_WARM_S)
    while True:
        seen.server.append(vitals(server))
        seen.worker.append(vitals(server, children=True))
        if len(seen.server) % 12 == 1:
            seconds, statuses = perf_counter() - start, dict(seen.answers.statuses)
            say(f"{seconds:.0f} s: {statuses}, {dict(seen.jobs)}, {seen.server[-1]}")
        await asyncio.sleep(_SAMPLE_S)
