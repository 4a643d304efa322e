"""What the fuzzers found, on a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.fuzz.place import place
from benchmarks.fuzz.recordings import send_recordings
from benchmarks.fuzz.requests import send_requests
from benchmarks.fuzz.tally import Tally
from trainer.machine import cpu_name
from trainer.pages.blocks import table, write_block

_SEND = {"requests": send_requests, "recordings": send_recordings}
_HEADER = ("sent", "2xx", "4xx", "429", "503", "other 5xx", "faults", "longest")


class FaultsFound(Exception):
    """The service did what it must not do. The message says what."""


def fuzz_page(
    models_dir: Path,
    examples: Path,
    page: Path,
    *,
    requests: int,
    recordings: int,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Sends so many requests and recordings to a service that it starts, and writes the counts into the page.

    Raises FaultsFound, ServiceFailedError.
    """
    faults: list[str] = []
    for name, cases in (("requests", requests), ("recordings", recordings)):
        if not cases:
            continue
        say(f"{cases} {name}")
        started = perf_counter()
        tally = Tally()
        with place(models_dir) as here:
            try:
                _SEND[name](here, examples, cases, seed, tally)
            except KeyboardInterrupt:
                say(f"stopped after {tally.cases}")
        write_block(page, f"benchmarks fuzz, {name}", _text(name, tally, perf_counter() - started, seed))
        faults += tally.examples
    if faults:
        raise FaultsFound("\n".join(faults))


def _text(name: str, tally: Tally, seconds: float, seed: int) -> str:
    refused = tally.share(400, 499) - tally.statuses[429]
    broken = tally.share(500, 599) - tally.statuses[503]
    row = (
        *(f"{n:,}" for n in (tally.cases, tally.share(200, 299), refused, tally.statuses[429])),
        *(f"{n:,}" for n in (tally.statuses[503], broken, tally.faults.total())),
        f"{tally.longest_s:.1f} s",
    )
    never = sorted(call for call, successes in tally.succeeded.items() if not successes)
    return (
        f"{table(_HEADER, [row])}\n\n"
        f"{len(tally.succeeded) - len(never)} of {len(tally.succeeded)} calls have succeeded"
        f"{', all but ' + ', '.join(f'`{call}`' for call in never) if never else ''}. "
        f"`python -m benchmarks fuzz --{name} {tally.cases} --seed {seed}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{cpu_name()}, {seconds / 60:.0f} minutes."
    )
