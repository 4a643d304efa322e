"""Section VI: ω₁ and α against IS, FID and the accuracy of C."""

from __future__ import annotations

from pathlib import Path

from trainer.pages.blocks import table
from trainer.reproduce.gaae import accuracies
from trainer.reproduce.gaae.recipes import Training, alpha_sweep, omega_sweep
from trainer.reproduce.gaae.scores import score_runs
from trainer.reproduce.gaae.trainings import GaaeRuns

Points = list[tuple[float, float, float, float]]  # value, IS, FID, accuracy
MEASURES = ("IS", "FID", "test accuracy, %")


def sweeps(runs: GaaeRuns, pictures: Path) -> str:
    lines = [
        "## ω₁ and α",
        f"Digits, {runs.scale.share:g} % labelled, {runs.scale.short} iterations each. The paper gives a "
        "picture, and 0.6 and 0.5 as the best.",
    ]
    points: dict[str, Points] = {}
    for name, paper_best, trainings in (
        ("ω₁", 0.6, omega_sweep(runs.scale)),
        ("α", 0.5, alpha_sweep(runs.scale)),
    ):
        points[name], rows = [], []
        for value, first in trainings.items():
            figures, accuracy = _measured(runs, first)
            points[name].append((value, *figures, accuracy))
            chosen = " (the paper's)" if value == paper_best else ""
            rows.append([f"{value:g}{chosen}", *(f"{x:.2f}" for x in (*figures, accuracy))])
        lines.append(table([name, *MEASURES], rows))
    _draw(points, pictures / "sweeps.png")
    lines.append(f"![ω₁ and α]({pictures.name}/sweeps.png)")
    return "\n\n".join(lines)


def _measured(runs: GaaeRuns, first: Training) -> tuple[tuple[float, float], float]:
    figures = score_runs(runs, first, "digits")
    accuracy = accuracies.of_model(runs, first)
    assert accuracy is not None
    return (figures["is"], figures["fid"]), accuracy[0]


def _draw(points: dict[str, Points], path: Path) -> None:
    from matplotlib.figure import Figure  # half a second to import: only when a picture is drawn

    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(len(points), len(MEASURES), squeeze=False)
    for row, (name, points_of_sweep) in zip(panels, points.items(), strict=True):
        for axes, measure, values in zip(
            row, MEASURES, zip(*(p[1:] for p in points_of_sweep), strict=True), strict=True
        ):
            axes.plot([point[0] for point in points_of_sweep], values, "o-")
            axes.set(xlabel=name, ylabel=measure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
