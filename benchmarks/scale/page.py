"""docs/scale.md: what a gallery costs, by its size, beside the figures of an earlier release."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.performance.machine import describe
from benchmarks.scale.measure import Figures
from benchmarks.scale.questions import Questions
from benchmarks.scale.voices import Population, fill
from bundle.scoring import Scorer
from bundle.voice import VoiceBundle
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

_ROWS: Sequence[tuple[str, Callable[[Figures], str]]] = (
    ("ready after, s (processor time, s)", lambda f: f"{f.ready_s:.1f} ({f.ready_cpu_s:.1f})"),
    ("memory of the process when ready, at most, MiB", lambda f: f"{f.resident_mib:.0f}, {f.peak_mib:.0f}"),
    ("a search, p50 and p99, ms", lambda f: _pair(f.search_ms)),
    ("processor time of a search, ms", lambda f: f"{f.search_cpu_ms:.1f}"),
    ("a search by a tenant with a tenth of the voices, ms", lambda f: _pair(f.tenant_search_ms)),
    ("searches a second by one caller, by two", lambda f: f"{f.searches_per_s:.0f}, {f.pairs_per_s:.0f}"),
    ("a search while another goes on, ms", lambda f: _pair(f.pair_search_ms)),
    ("a search while all voices are read anew, ms", lambda f: _pair(f.reading_search_ms)),
    ("recall: all voices, the tenant's", lambda f: f"{f.recall:.4f}, {f.tenant_recall:.4f}"),
    ("an enrolment, durable and searchable, ms", lambda f: _pair(f.enrol_ms)),
    ("an erasure, gone from every file, ms", lambda f: _pair(f.erase_ms)),
    ("files with bytes of an erased voice", lambda f: str(f.traces)),
)
_TEXT = """\
Measured on {date} with `python -m benchmarks scale` on {machine.cores} cores of {machine.cpu},
{machine.memory_gib:.0f} GiB, {machine.software}.
Load average before the run: {machine.load:.1f}; 0 is a machine that does nothing else.

{table}
"""


def scale_page(
    bundle_folder: Path,
    sizes: Sequence[int],
    page: Path,
    json_path: Path | None,
    before: Path | None,
    stores: Path | None,
    say: Say,
) -> None:
    """Measures every size and writes the table into the page.

    Args:
        json_path: gets the figures.
        before: figures of an earlier release, which stand beside the new ones.
        stores: where filled stores are kept for the next run; None fills new ones and removes them.

    Raises:
        BundleError: the bundle cannot be used.
        CalledProcessError: a measurement failed.
    """
    machine = describe()
    bundle = VoiceBundle.load(bundle_folder)
    measured: list[Figures] = []
    with TemporaryDirectory() as temporary:
        for size in sizes:
            folder = (stores or Path(temporary)) / str(size)
            _prepare(folder, bundle, size, say)
            measured.append(_measure(folder, bundle_folder))
            say(json.dumps(asdict(measured[-1])))
    if json_path is not None:
        json_path.write_text(json.dumps([asdict(figures) for figures in measured], indent=2) + "\n")
    earlier = [Figures.read(entry) for entry in json.loads(before.read_text())] if before else []
    columns = [(f"{figures.voices:,}, before", figures) for figures in earlier]
    columns += [(f"{figures.voices:,}", figures) for figures in measured]
    columns.sort(key=lambda column: column[1].voices)  # stable: before, then now
    rows = [(row, *(show(figures) for _, figures in columns)) for row, show in _ROWS]
    text = _TEXT.format(
        date=datetime.now(UTC).date(),
        machine=machine,
        table=table(("voices", *(name for name, _ in columns)), rows),
    )
    write_block(page, "scale", text)


def _prepare(folder: Path, bundle: VoiceBundle, size: int, say: Say) -> None:
    """Fills a store and writes its questions, unless an earlier run has."""
    if (folder / "answers.json").exists():
        return
    folder.mkdir(parents=True)
    population = Population.like(Scorer(bundle.scoring), size)
    fill(folder, population, bundle.id, say)
    Questions.about(population, Scorer(bundle.scoring)).save(folder)


def _measure(folder: Path, bundle: Path) -> Figures:
    """In a process of its own, whose memory is that of one store."""
    command = [sys.executable, "-m", "benchmarks.scale.measure", str(folder), str(bundle)]
    return Figures.read(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _pair(figures: tuple[float, float]) -> str:
    return f"{figures[0]:.1f}, {figures[1]:.1f}"
