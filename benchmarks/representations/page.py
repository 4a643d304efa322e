"""docs/results/representations.md: one table and one figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.representations.encoders import Representation, read_representations
from benchmarks.representations.figure import draw
from benchmarks.representations.measures import (
    RepresentationFigures,
    measure,
    measure_chance,
    read_factors,
)
from trainer.downstream import FACTORS, TASKS, read_task
from trainer.machine import machine
from trainer.pages.blocks import table, write_block

CHANCE = "chance"


def representations_page(
    bundle: Path, twins: Path, data: Path, page: Path, cache: Path, say: Callable[[str], None]
) -> None:
    """Writes the block of the page, and its figure beside it under the page's name.

    Args:
        twins: a run folder or a bundle of Barlow Twins.
        cache: where decoded audio is kept.

    Raises:
        BundleError, DataError: a model or a corpus cannot be used.
    """
    encoders = read_representations(bundle, twins)
    tasks = {}
    for name in TASKS:
        say(f"reading the crops of the task {name}")
        tasks[name] = read_task(name, data, cache)
    factors = read_factors(tasks["speaker"], data)
    measured = {}
    for encoder in encoders:
        say(f"measuring {encoder.name}")
        measured[encoder.name] = measure(encoder.encode, tasks, factors)
    chance = measure_chance(tasks, factors)
    figure = page.with_suffix(".png")
    draw(measured, chance, tasks, figure)
    write_block(
        page, "benchmarks representations", _text(encoders, {**measured, CHANCE: chance}, figure.name)
    )


def _text(encoders: Sequence[Representation], measured: dict[str, RepresentationFigures], figure: str) -> str:
    header = ["representation", "numbers", *(f"{task}, %" for task in TASKS)]
    header += ["MIG", "SAP", "DCIMIG", "JEMMIG", "modularity", "active"]
    rows = [[name, str(m.codes), *_accuracies(m), *_single_codes(m)] for name, m in measured.items()]
    made = "\n".join(f"- **{encoder.name}**: {encoder.made_by}" for encoder in encoders)
    return "\n\n".join(
        [
            f"![Accuracy of each representation on each task]({figure})",
            table(header, rows),
            f"Factors of the last six columns: {', '.join(FACTORS)}. Machine: {machine()}.",
            made,
        ]
    )


def _accuracies(measured: RepresentationFigures) -> list[str]:
    return [
        f"{a.all_labels:.1f}" + (f" ({a.share:.1f} ± {a.share_std:.1f})" if a.share_std else "")
        for a in (measured.accuracy[task] for task in TASKS)
    ]


def _single_codes(measured: RepresentationFigures) -> list[str]:
    m = measured.single_codes
    return [*(f"{v:.3f}" for v in (m.mig, m.sap, m.dcimig, m.jemmig, m.modularity)), str(m.active)]
