"""docs/reliability.md: the table of faults."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults.commit import commit
from benchmarks.faults.kills import Outcome, kill_under_load
from benchmarks.performance.machine import describe
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

_HEADER = (
    "stores",
    "kills",
    "of server, worker, Redis",
    "acknowledged",
    "without an answer",
    "lost",
    "half",
    "returned",
    "left on disk",
    "defects",
)
_JOB_EVERY = 20  # kills
_JOBS = 5  # at most, where the number of kills is not known


def faults_page(
    models_dir: Path, page: Path, say: Say, *, servers: int, kills: int | None, minutes: float | None
) -> bool:
    """Kills under load and writes a table. Returns whether all was as it must be.

    Args:
        servers: 1: one, with stores in files. More: replicas that share a Redis.
        kills: None: as many as the minutes allow.
        minutes: None: as many as the kills take.

    Raises:
        FileNotFoundError: there is no redis-server.
        TimeoutError: the service never became ready, or never worked an erasure or a job off.
    """
    end = None if minutes is None else time.monotonic() + 60 * minutes

    def enough(made: int) -> bool:
        return (kills is not None and made >= kills) or (end is not None and time.monotonic() > end)

    jobs = max(1, (kills or _JOBS * _JOB_EVERY) // _JOB_EVERY)
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        outcome = kill_under_load(site, models_dir, servers=servers, enough=enough, jobs=jobs, say=say)
    faults = vars(outcome.oracle.verdict)
    for name, found in faults.items():
        for sentence in found:
            say(f"{name}: {sentence}")
    write_block(page, f"faults of {outcome.stores}", _block(outcome))
    return not any(faults.values())


def _block(outcome: Outcome) -> str:
    machine = describe()
    made_with = (
        f"`python -m benchmarks faults`, {datetime.now(UTC).date()}, commit {commit()}, "
        f"{outcome.seconds / 60:.0f} min; {machine.cores} cores of {machine.cpu}, load average at the end "
        f"{machine.load:.1f}."
    )
    return f"{made_with}\n\n{table(_HEADER, [_row(outcome)])}"


def _row(outcome: Outcome) -> list[str]:
    oracle, kills = outcome.oracle, outcome.kills
    return [
        outcome.stores,
        str(kills.total()),
        ", ".join(str(kills[name]) for name in ("server", "worker", "redis")),
        f"{oracle.acknowledged} writes, {outcome.jobs} jobs",
        str(oracle.unanswered),
        *(str(len(found)) for found in vars(oracle.verdict).values()),
    ]
