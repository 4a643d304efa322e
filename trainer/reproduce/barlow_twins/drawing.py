"""Pictures of the page."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from bundle.arrays import Float64
from trainer.reproduce.barlow_twins.figures import BASE_MODELS, Boxes

FEWEST_FOR_A_BOX = 10  # runs: quartiles of fewer say nothing


def draw_correlation(matrices: dict[str, Float64], path: Path) -> None:
    """Fig. 3: the matrices side by side, on one scale from −1 to 1."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    image = None
    for axes, (name, C) in zip(figure.subplots(1, len(matrices)), matrices.items(), strict=True):
        image = axes.imshow(C, vmin=-1, vmax=1, cmap="RdBu_r")
        axes.set(title=f"{name} training", xlabel="latent of view B", ylabel="latent of view A")
    assert image is not None
    figure.colorbar(image, ax=figure.axes, label="cross-correlation")
    _save(figure, path)


def draw_boxes(boxes: Boxes, tasks: tuple[str, ...], path: Path) -> None:
    """Figs 4 and 5: a panel a task, a point a run; a box a base model where there are enough runs for one."""
    figure = Figure(figsize=(6 * len(tasks), 4), layout="constrained")
    for axes, task in zip(figure.subplots(1, len(tasks)), tasks, strict=True):
        runs = list(boxes[task].values())
        if min(map(len, runs)) >= FEWEST_FOR_A_BOX:
            axes.boxplot(runs, showfliers=False)
        axes.set_xticks(range(1, len(runs) + 1), [BASE_MODELS[name] for name in boxes[task]])
        for place, accuracies in enumerate(runs, start=1):
            axes.plot([place] * len(accuracies), accuracies, "k.", alpha=0.6)
        axes.set(title=task, ylabel="top-1 accuracy, %")
        axes.grid(axis="y", alpha=0.3)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
