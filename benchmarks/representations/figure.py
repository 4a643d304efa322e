"""The picture: a panel a task, a bar a representation, a line for guessing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.representations.measures import SHARE_PERCENT, RepresentationFigures
from trainer.downstream import Task

COLOURS = ("#2a6fbb", "#e07b39", "#3f9b5f", "#8a8a8a")  # by representation
QUESTIONS = {
    "speaker": "WHO: which of {} speakers?",
    "gender": "WHO: female or male, voice unheard before?",
    "keyword": "WHAT: which of {} words?",
    "emotion": "HOW: which of {} acted emotions?",
}


def draw(
    measured: Mapping[str, RepresentationFigures],
    chance: RepresentationFigures,
    tasks: Mapping[str, Task],
    path: Path,
) -> None:
    """Writes a PNG of the accuracies, whole or not at all."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplots(2, -(-len(tasks) // 2), sharex=True, sharey=True, squeeze=False).flat
    for axes, (name, task) in zip(panels, tasks.items(), strict=True):
        _draw_task(axes, name, measured, chance.accuracy[name].all_labels)
        axes.set_title(QUESTIONS[name].format(len(task.classes)), loc="left", fontsize=11)
    figure.axes[0].invert_yaxis()  # shared: the first representation on top in every panel
    figure.supxlabel("answers of a linear classifier that are right, %")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(partial, dpi=110, format="png")
    partial.replace(path)


def _draw_task(axes: Axes, name: str, measured: Mapping[str, RepresentationFigures], chance: float) -> None:
    right = [m.accuracy[name].all_labels for m in measured.values()]
    few = [m.accuracy[name].share for m in measured.values()]
    bars = axes.barh(list(measured), right, color=COLOURS[: len(measured)], height=0.7)
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.plot(few, list(measured), "D", color="white", mec="black", ms=6, label=f"{SHARE_PERCENT} % labelled")
    axes.axvline(chance, color="black", linestyle="--", linewidth=1, label="guessing")
    axes.set(xlim=(0, 110), xticks=range(0, 101, 20))
    axes.spines[["top", "right"]].set_visible(False)
