"""One line of a table of decisions: a corpus, a condition, and each model's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.decisions.figures import HEADER, DecisionFigures, cells, figures
from benchmarks.decisions.model import ScoredModel, Voices
from trainer.pages.blocks import table


@dataclass(frozen=True)
class Row:
    corpus: str
    what: str  # the condition, or the group of speakers
    models: list[DecisionFigures | None]  # in the models' order
    joined: float = 0.0  # per cent of the utterances that are made of several clips


def markdown(rows: Sequence[Row], title: str) -> str:
    """One line a row. The counts of pairs are the first model's: all models get the same utterances."""
    lines = []
    for row in rows:
        first = row.models[0]
        pairs = f"{first.target} + {first.nontarget}" if first else "–"
        lines.append([f"{row.corpus}, {row.what}", *cells(row.models), pairs])
    return table([title, *HEADER, "pairs: one voice + two"], lines)


def joined_text(rows: Sequence[Row]) -> str:
    """Which utterances had to be made of several clips."""
    shares = [f"{row.corpus}, {row.what}: {row.joined:.0f} %" for row in rows if row.joined]
    return f"Made of several of a speaker's clips: {'; '.join(shares) or 'none'}."


def make_row(models: Sequence[ScoredModel], voices: Sequence[Voices], corpus: str, what: str) -> Row:
    """The figures of each model over every pair of utterances."""
    return Row(
        corpus, what, [figures(model, of_model) for model, of_model in zip(models, voices, strict=True)]
    )
