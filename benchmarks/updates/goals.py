"""What fine-tuning was to bring, beside what it brought: a table of docs/results/finetune.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.updates.voices import TuningFigures
from trainer.pages.blocks import table

#: Corpus → figures under each model: the parent, 10 s a speaker, 30 s, all audio, all audio and steps.
Figures = Mapping[str, Sequence[TuningFigures]]
TEN_S, ALL, STEPPED = 1, 3, 4
COLUMNS = {TEN_S: "10 s a speaker", ALL: "all audio"}
F1_POINTS = (("speechocean762", TEN_S, 2.0), ("speechocean762", ALL, 4.0))
EER_FALL = (
    ("speechocean762", TEN_S, 20.0),
    ("speechocean762", ALL, 30.0),
    ("telephone_digits", ALL, 15.0),
    ("nemo", ALL, 15.0),
)
FORGETTING = 0.2  # points of EER that another corpus may lose
FALSE_ACCEPTS = (0.5, 2.0)  # per cent, where 1 was asked for


def goals_table(adapted: Figures, forgotten: Figures) -> str:
    """Each goal with what was measured, and whether it is met.

    Args:
        adapted: on recordings left out of the corpus that was adapted to.
        forgotten: on the corpus that nothing was adapted to, by the corpus that was.
    """
    rows = [*_gains(adapted), *_losses(adapted, forgotten)]
    return table(
        ["goal", "measured", ""], [[goal, text, "met" if met else "missed"] for goal, text, met in rows]
    )


def steps_text(adapted: Figures) -> str:
    """What 50 steps change beside the adaptation alone."""
    changes = [
        f"{corpus}: F1 {_signed((of[STEPPED].f1 or 0) - (of[ALL].f1 or 0))}, "
        f"EER {_signed(of[STEPPED].eer - of[ALL].eer)}"
        for corpus, of in adapted.items()
    ]
    return f"Points that the steps add to all audio: {'; '.join(changes)}."


def _gains(adapted: Figures) -> Iterator[tuple[str, str, bool]]:
    for corpus, column, points in F1_POINTS:
        before, after = (adapted[corpus][i].f1 or 0.0 for i in (0, column))
        goal = f"{corpus}, {COLUMNS[column]}: F1 up by {points:g} points"
        yield goal, _signed(after - before), after - before >= points
    for corpus, column, percent in EER_FALL:
        before, after = (adapted[corpus][i].eer for i in (0, column))
        change = 100 * (after - before) / before if before else 0.0
        goal = f"{corpus}, {COLUMNS[column]}: EER down by {percent:g} %"
        yield goal, f"{change:+.0f} %", change <= -percent


def _losses(adapted: Figures, forgotten: Figures) -> Iterator[tuple[str, str, bool]]:
    rises = {corpus: max(f.eer for f in of[1:STEPPED]) - of[0].eer for corpus, of in forgotten.items()}
    corpus, rise = max(rises.items(), key=lambda item: item[1])
    goal = f"another corpus: EER up by at most {FORGETTING:g} points"
    yield goal, f"{_signed(rise)} after {corpus}", rise <= FORGETTING
    low, high = FALSE_ACCEPTS
    for corpus, of in adapted.items():
        rates = [f.false_accepts for f in of[1:STEPPED]]
        goal = f"{corpus}: false accepts between {low:g} and {high:g} %"
        met = low <= min(rates) and max(rates) <= high
        yield goal, f"{min(rates):.2f} to {max(rates):.2f} %", met


def _signed(points: float) -> str:
    return f"{round(points, 1) + 0.0:+.1f}"  # no −0.0
