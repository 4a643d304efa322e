"""Figures of two runs of a benchmark side by side, as ratios."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.pages.blocks import table

#: Ends of names whose figures are better when they are larger. Of all others less is better: times, memory.
_MORE_IS_BETTER = ("per_s", "share", "recall", "rate")


class FiguresError(Exception):
    """A file that holds no figures, or two files that share none."""


@dataclass(frozen=True)
class Change:
    """One figure of both runs."""

    name: str
    old: float
    new: float

    @property
    def ratio(self) -> float:
        """New over old."""
        return self.new / self.old

    @property
    def worse(self) -> float:
        """By what factor it got worse; below 1 it got better."""
        return 1 / self.ratio if self.name.endswith(_MORE_IS_BETTER) else self.ratio


@dataclass(frozen=True)
class Comparison:
    """What two runs share, and what only one of them has."""

    changes: Sequence[Change]
    alone: Sequence[str]

    def markdown(self) -> str:
        """As a table, then the names of what could not be compared."""
        rows = [
            (change.name, f"{change.old:.4g}", f"{change.new:.4g}", f"{change.ratio:.2f}")
            for change in self.changes
        ]
        lines = [table(("figure", "old", "new", "new / old"), rows)]
        lines += [f"In one run only: {name}" for name in self.alone]
        return "\n".join(lines)


def compare(old: Path, new: Path) -> Comparison:
    """Compares the JSON files of two runs of one benchmark.

    Raises:
        FiguresError: they cannot be read, or have no figure in common.
    """
    before, after = (dict(_figures(_read(path))) for path in (old, new))
    shared = [name for name in before if name in after and before[name] > 0 and after[name] > 0]
    if not shared:
        raise FiguresError(f"{old} and {new} have no figure in common: give two runs of one benchmark.")
    alone = sorted(before.keys() ^ after.keys())
    return Comparison([Change(name, before[name], after[name]) for name in shared], alone)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FiguresError(f"{path} cannot be read as figures: {error}") from error


def _figures(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number below `value`, named by the way to it."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _figures(below, f"{name}: {key}" if name else str(key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _figures(below, f"{name} {number}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
