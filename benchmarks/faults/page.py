"""docs/reliability.md: the table of faults."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import count
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
    "not acknowledged",
    "lost",
    "half",
    "returned",
    "left on disk",
    "defects",
)
_ROUND = 50  # kills on one state folder
_JOB_EVERY = 20  # kills


def faults_page(
    models_dir: Path, page: Path, say: Say, *, servers: int, kills: int | None, minutes: float | None
) -> bool:
    """Kills under load and writes a table after each round. Returns whether all was as it must be.

    Args:
        servers: 1: one, with stores in files. More: replicas that share a Redis.
        kills: None: as many as the minutes allow.
        minutes: None: as many as the kills take.

    Raises:
        FileNotFoundError: there is no redis-server.
    """
    end = None if minutes is None else time.monotonic() + 60 * minutes
    name = "SQLite, one server" if servers == 1 else f"Redis, {servers} servers"
    total = Outcome()

    def enough(made: int) -> bool:
        all_made = total.kills.total() + made
        return (kills is not None and all_made >= kills) or (end is not None and time.monotonic() > end)

    for seed in count():
        with TemporaryDirectory() as folder:
            outcome = kill_under_load(
                Path(folder) / "site",
                models_dir,
                servers=servers,
                enough=lambda made: made == _ROUND or enough(made),
                jobs=max(1, min(_ROUND, kills or _ROUND) // _JOB_EVERY),
                seed=seed,
            )
        total.add(outcome)
        say(f"{name}: {total}")
        for column, sentences in vars(outcome.verdict).items():
            for sentence in sentences:
                say(f"{column}: {sentence}")
        write_block(page, f"benchmarks faults of {name}", _block(name, total))
        if enough(0) or not outcome.kills:
            break
    return total.verdict.clean


def _block(name: str, total: Outcome) -> str:
    machine = describe()
    made_with = (
        f"`python -m benchmarks faults`, {datetime.now(UTC).date()}, commit {commit()}, "
        f"{total.seconds / 60:.0f} min; {machine.cores} cores of {machine.cpu}, load average at the end "
        f"{machine.load:.1f}."
    )
    row = [
        name,
        str(total.kills.total()),
        ", ".join(str(total.kills[process]) for process in ("server", "worker", "redis")),
        f"{total.acknowledged} writes, {total.jobs} jobs",
        str(total.refused),
        *(str(len(sentences)) for sentences in vars(total.verdict).values()),
    ]
    return f"{made_with}\n\n{table(_HEADER, [row])}"
