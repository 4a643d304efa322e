"""docs/results/degradation.md: one row a treatment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.degradation.treatments import GOAL_HOLDS, PLAIN, treatments
from benchmarks.degradation.trials import Material, Row, prepared, row, voices
from service.audio import SpeechDetector
from trainer.bundles.runner import BundleRunner
from trainer.machine import machine
from trainer.pages.blocks import table, write_block

_LEAST_OWN, _MOST_STRANGERS = 28, 3
_MOST_UNWARNED = 8  # 3 % of 270 strangers


def degradation_page(bundles: Sequence[Path], data: Path, page: Path, say: Callable[[str], None]) -> None:
    """Measures every bundle under every treatment and writes the page's block.

    Raises:
        BundleError, CodecError, DataError: what is missing, and what to do.
    """
    runners = [BundleRunner.load(folder, threads=1) for folder in bundles]
    material, detector = Material.read(data / "librispeech"), SpeechDetector()
    plain, rows = {}, {runner.id: dict[str, Row]() for runner in runners}
    for name, treat in treatments(data).items():
        recordings = [prepared(*treat(side), detector) for side in (material.enrolled, material.probes)]
        for runner in runners:
            enrolled, probes = (voices(runner, side) for side in recordings)
            if name == PLAIN:
                plain[runner.id] = enrolled, probes
            rows[runner.id][name] = row(runner.scorer, plain[runner.id], (enrolled, probes))
            say(f"{runner.id}, {name}: {rows[runner.id][name]}")
    write_block(page, "benchmarks degradation", "\n\n".join(_text(name, rows[name]) for name in rows))


def _text(bundle: str, rows: dict[str, Row]) -> str:
    header = (
        "treatment",
        "score against itself",
        "own of 30",
        "strangers of 270",
        "own, both sides",
        "strangers, both sides",
        "warned of 30",
        "no speech",
    )
    cells = [
        (
            f"{name} *" if name in GOAL_HOLDS else name,
            f"{r.itself:.3f}",
            *map(str, (r.own, r.strangers, r.own_both, r.strangers_both, r.warned, r.lost)),
        )
        for name, r in rows.items()
    ]
    missed = [
        name for name in GOAL_HOLDS if rows[name].own < _LEAST_OWN or rows[name].strangers > _MOST_STRANGERS
    ]
    unwarned = [
        name
        for name, r in rows.items()
        if max(r.strangers, r.strangers_both) > _MOST_UNWARNED and r.warned < _LEAST_OWN
    ]
    return "\n\n".join(
        (
            f"### {bundle}",
            table(header, cells),
            f"Goal of the starred rows ({_LEAST_OWN} of 30, {_MOST_STRANGERS} of 270, one side): "
            + (f"missed by {len(missed)} of {len(GOAL_HOLDS)}: {'; '.join(missed)}." if missed else "met."),
            "Rows with over 3 % strangers on either side and no warning: "
            + (f"{'; '.join(unwarned)}." if unwarned else "none."),
            f"Measured {datetime.now(UTC):%Y-%m-%d}; {machine()}.",
        )
    )
