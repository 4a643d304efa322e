"""The DET plot: misses over false accepts on normal-deviate axes (A. Martin et al., 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from trainer.metrics import det_points

TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def det_plot(curves: Sequence[tuple[str, Float32, Float32]], path: Path, *, models: int) -> None:
    """Writes a PNG.

    Args:
        curves: name, scores of pairs of one voice, scores of pairs of two; corpus by corpus.
        models: curves of each corpus.
    """
    from matplotlib.figure import Figure
    from scipy.special import ndtri  # the normal distribution's quantiles

    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    for (name, target, nontarget), style in zip(curves, _styles(len(curves), models), strict=True):
        _, p_miss, p_fa = det_points(target, nontarget)
        low, high = TICKS[0] / 10, 1 - TICKS[0] / 10  # the quantiles of 0 and 1 are infinite
        axes.plot(ndtri(np.clip(p_fa, low, high)), ndtri(np.clip(p_miss, low, high)), style, label=name)
    limits = ndtri(TICKS[0]), ndtri(TICKS[-1])
    axes.plot(limits, limits, ":", color="grey", linewidth=0.7)  # equal error rate
    labels = [f"{100 * tick:g}" for tick in TICKS]
    axes.set(xlabel="false accepts, %", ylabel="misses, %", xlim=limits, ylim=limits)
    axes.set_xticks(ndtri(TICKS), labels)
    axes.set_yticks(ndtri(TICKS), labels)
    axes.grid(linewidth=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _styles(count: int, models: int) -> list[str]:
    """Corpora by colour, models by line."""
    return [f"C{i // models}{'-' if i % models == 0 else '--'}" for i in range(count)]
