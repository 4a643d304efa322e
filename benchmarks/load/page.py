"""docs/reliability.md: what was seen under load."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.faults.commit import commit
from benchmarks.load.overload import CLIENTS, TIMES, Overload, overload
from benchmarks.load.soak import CLIENTS as SOAK_CLIENTS
from benchmarks.load.soak import Soak, soak
from benchmarks.load.traffic import MIX, longest
from benchmarks.load.vitals import thirds
from benchmarks.performance.machine import describe
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

_REFUSED_WITHIN_S = 1.0
_SERVED_WITHIN = 2.0  # times the p99 at capacity


def soak_page(models_dir: Path, page: Path, say: Say, *, minutes: float) -> None:
    """Loads a service for so many minutes and writes what was seen. Raises ServiceFailedError."""
    write_block(page, "benchmarks soak", _soak(soak(models_dir, minutes, say), minutes))


def overload_page(models_dir: Path, page: Path, *, seconds: float) -> None:
    """Overloads a service for so many seconds and writes what was seen. Raises ServiceFailedError."""
    write_block(page, "benchmarks overload", _overload(overload(models_dir, seconds), seconds))


def _soak(seen: Soak, minutes: float) -> str:
    answers = seen.answers
    grown = [
        (
            f"{process}, {name}",
            *(f"{getattr(third, attribute):.0f}" for third in thirds(samples)),
            f"{max(getattr(sample, attribute) for sample in samples):.0f}",
        )
        for process, samples in (("server", seen.server), ("worker", seen.worker))
        for name, attribute in (("memory, MiB", "memory_mib"), ("handles", "handles"), ("threads", "threads"))
    ]
    jobs = ", ".join(f"{number} {state}" for state, number in seen.jobs.items()) or "none"
    requests = [
        f"{seen.capacity:.1f}/s",
        f"{seen.rate:.1f}/s",
        f"{answers.statuses.total():,}",
        f"{1000 * answers.late_s:.0f} ms",
        f"{1000 * answers.percentile(50):.0f} ms",
        f"{1000 * answers.percentile(99):.0f} ms",
        f"{answers.statuses[429]:,}",
        str(answers.statuses[503]),
        str(answers.broken),
        jobs,
    ]
    header = (
        "capacity",
        "sent",
        "requests",
        "sent late by",
        "p50",
        "p99",
        "429",
        "503",
        "other 5xx or no answer",
        "ends of jobs",
    )
    return (
        f"{_made_with(f'soak --minutes {minutes:g}')} {MIX}. Capacity: {SOAK_CLIENTS} clients without "
        f"a pause, p99 {1000 * seen.capacity_p99_s:.0f} ms. Clients, server and worker share the cores.\n\n"
        f"{table(header, [requests])}\n\n"
        f"{table(('', 'first third', 'last third', 'most'), grown)}{_firsts(answers.first)}"
    )


def _overload(seen: Overload, seconds: float) -> str:
    at, beyond = seen.capacity, seen.overload
    header = (
        "",
        "requests",
        "sent late by",
        "served",
        "p50",
        "p99",
        "429 and 503",
        "slowest of them",
        "5xx or no answer",
    )
    rows = [
        (
            name,
            f"{answers.statuses.total():,}",
            f"{1000 * answers.late_s:.0f} ms",
            f"{answers.rate:.1f}/s",
            f"{1000 * answers.percentile(50):.0f} ms",
            f"{1000 * answers.percentile(99):.0f} ms",
            f"{len(answers.refused):,}",
            f"{1000 * longest(answers.refused):.0f} ms",
            str(answers.broken),
        )
        for name, answers in (
            (f"{CLIENTS} clients without a pause", at),
            (f"{TIMES} times of that: {TIMES * at.rate:.0f}/s for {seconds:.0f} s", beyond),
            ("afterwards, one client", seen.after),
        )
    ]
    told = longest(beyond.refused) < _REFUSED_WITHIN_S
    ratio = beyond.percentile(99) / at.percentile(99)
    return (
        f"{_made_with(f'overload --seconds {seconds:g}')} {MIX}. Clients and server share the cores.\n\n"
        f"{table(header, rows)}\n\n"
        f"Refused within a second: {'met' if told else 'missed'}. Served within twice the p99: "
        f"{'met' if ratio <= _SERVED_WITHIN else 'missed'} ({ratio:.1f} times).{_firsts(beyond.first)}"
    )


def _firsts(first: dict[int, str]) -> str:
    return "".join(f"\n\nFirst answer {status}: {text}" for status, text in first.items())


def _made_with(command: str) -> str:
    machine = describe()
    return (
        f"`python -m benchmarks {command}`, {datetime.now(UTC).date()}, commit {commit()}; {machine.cores} "
        f"cores of {machine.cpu}, load average at the end {machine.load:.1f}."
    )
