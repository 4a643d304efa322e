"""Tables I and II: who is it, from 10 to 120 seconds, under nine conditions."""

from __future__ import annotations

from typing import Any

from trainer.metrics.few_shot import SECONDS
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.material import SETS
from trainer.reproduce.autodecompose.measures import floor_row, shot_cells, variant_row
from trainer.reproduce.autodecompose.settings import OBJECTIVES, TESTS
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns

PAPER = {  # Table II, by SECONDS
    1: (99.2, 99.4, 99.6, 99.8, 99.8),
    2: (93.1, 94.3, 96.5, 97.3, 97.9),
    3: (98.9, 99.1, 99.4, 99.5, 99.7),
    4: (82.2, 86.8, 92.2, 94.3, 95.6),
    5: (96.7, 97.2, 98.3, 98.7, 99.0),
    6: (90.4, 91.9, 95.3, 96.0, 97.0),
    7: (94.7, 95.3, 96.8, 97.6, 98.2),
    8: (25.1, 30.6, 39.4, 44.9, 52.9),
    9: (22.7, 26.1, 32.5, 37.7, 45.1),
}


PAIRS = ((4, 8), (3, 9))  # tests that differ in the encoder alone


def table2(runs: AutodecomposeRuns) -> str:
    rows, reach = [], {}
    first_cell: dict[tuple[int, str], float] = {}  # F1 from the fewest seconds, by test and objective
    for test in TESTS:
        rows.append([f"Test {test.number}", "paper", *(f"{f1:.1f}" for f1 in PAPER[test.number])])
        for objective in OBJECTIVES:
            figures = variant_row(runs, test.variant(objective), test.labelled, test.encoder)
            reach[test.labelled] = figures
            first_cell[test.number, objective] = figures["few_shot"][str(SECONDS[0])]["f1"]
            rows.append([f"Test {test.number}", objective, *shot_cells(figures)])
    for name, which in (("E_s, untrained", "E_s"), ("mel features", "mel")):
        rows.append([name, "strangers", *shot_cells(floor_row(runs, which, "strangers"))])
    conditions = [[f"Test {t.number}", t.source, t.labelled, t.tuned, t.encoder] for t in TESTS]
    sets = [f"- `{name}`: {SETS[name]}." for name in ("home", "elsewhere", "insiders", "strangers")]
    return "\n\n".join(
        [
            "## Tables I and II: nine tests",
            table(["", "pre-trained on", "labelled", "fine-tuned on labelled audio", "encoder"], conditions),
            "\n".join(sets),
            "Macro F1 in %, mean ± deviation over the draws of the labelled seconds. A number in brackets: "
            "only so many speakers have that much audio and a crop left to test on. `plain` is the paper's "
            "objective. `ours` adds the Barlow Twins term and the channels.",
            table(["", "", *(f"{k} s" for k in SECONDS)], rows),
            _reach(reach),
            _content_ahead(first_cell),
            "The last two rows are floors, on `strangers`: nothing was trained.",
        ]
    )


def _content_ahead(f1: dict[tuple[int, str], float]) -> str:
    above = [
        f"Test {content} above Test {voice}, {objective}"
        for voice, content in PAIRS
        for objective in OBJECTIVES
        if f1[content, objective] > f1[voice, objective]
    ]
    return f"E_c is above E_s from {SECONDS[0]} s: {'; '.join(above) or 'nowhere'}."


def _reach(figures: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, row in figures.items():
        counts = {k: row["few_shot"].get(str(k), {"speakers": "too few"})["speakers"] for k in SECONDS}
        said = ", ".join(f"{k} s {count}" for k, count in counts.items())
        lines.append(f"- Speakers of `{name}` measured, of {row['speakers']}: {said}.")
    return "\n".join(lines)
