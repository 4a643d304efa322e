"""t-SNE maps (van der Maaten and Hinton 2008), several on one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32


@dataclass(frozen=True)
class Panel:
    title: str
    features: Float32  # (points, width)
    labels: NDArray[np.str_]  # (points,)


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """One t-SNE map a panel, three in a row, a colour a label."""
    from matplotlib.figure import Figure

    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 4 * rows), layout="constrained")
    for axes, panel in zip(figure.subplots(rows, columns, squeeze=False).flat, panels, strict=False):
        points = tsne(panel.features)
        for label in np.unique(panel.labels):
            chosen = panel.labels == label
            axes.scatter(*points[chosen].T, s=6, label=str(label))
        axes.set(title=panel.title, xticks=[], yticks=[])
        axes.legend(fontsize=6, loc="best", markerscale=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def tsne(features: Float32) -> Float32:
    """(points, width) → (points, 2), of standardised features."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    standard = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    perplexity = min(30.0, (len(features) - 1) / 3)
    with threadpool_limits(1):
        points: Float32 = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(standard)
    return points


def thin(panel: Panel, most: int, classes: Sequence[str] | None = None) -> Panel:
    """At most `most` points, of `classes` only where given; drawn at random."""
    indices = np.arange(len(panel.labels))
    if classes is not None:
        indices = np.flatnonzero(np.isin(panel.labels, list(classes)))
    indices = np.sort(np.random.default_rng(0).permutation(indices)[:most])
    return Panel(panel.title, panel.features[indices], panel.labels[indices])
