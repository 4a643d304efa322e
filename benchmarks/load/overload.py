"""Three times the capacity: who is refused is told at once, and who is served waits no longer than twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.traffic import SETTINGS, Answers, traffic_to
from benchmarks.performance.serving import running_service

CLIENTS = 32  # that measure the capacity, and the p99 that is compared with
TIMES = 3  # the capacity
_CAPACITY_S = 20.0


@dataclass(frozen=True)
class Overload:
    """What was seen."""

    capacity: Answers
    overload: Answers
    after: Answers  # of one client, when it is over


def overload(models_dir: Path, seconds: float) -> Overload:
    """Measures the capacity, then sends three times of it. Raises ServiceFailedError, httpx.HTTPError."""
    with running_service(models_dir, **SETTINGS) as service:
        return asyncio.run(_overload(service.url, seconds))


async def _overload(url: str, seconds: float) -> Overload:
    async with traffic_to(url) as traffic:
        capacity = await traffic.by_clients(CLIENTS, _CAPACITY_S)
        beyond = Answers()
        await traffic.at_rate(TIMES * capacity.rate, seconds, beyond)
        return Overload(capacity, beyond, await traffic.by_clients(1, 5.0))
