"""Figs 8, 9 and 11: t-SNE maps of voices, words and phonemes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data import Clip
from trainer.embedding import CropEncoder, embed_clips
from trainer.reproduce.autodecompose.features import FEATURES, pooled_encoder
from trainer.reproduce.autodecompose.overfitting import overfitted, parts
from trainer.reproduce.autodecompose.phonemes import SOURCE, labelled_frames
from trainer.reproduce.autodecompose.settings import OBJECTIVES, TESTS, Variant
from trainer.reproduce.autodecompose.words import word_clips, word_features
from trainer.reproduce.autodecompose.workshop import Workshop

Floats = NDArray[np.float32]

CLASSES = 10  # colours that can be told apart on one map


@dataclass(frozen=True)
class Panel:
    title: str
    features: Floats  # (points, width)
    labels: NDArray[np.str_]  # (points,)


def maps(shop: Workshop, pictures: Path) -> str:
    """Draws the maps into `pictures`; the text refers to them by `<folder>/<file>`."""
    made = {
        "fig9.png": ("Fig. 9: the overfitting test, crops of speech not trained on", [_overfitting(shop)])
    }
    for objective in OBJECTIVES:
        made |= {
            f"fig8-{objective}.png": (
                f"Fig. 8: E_s in Tests 1 to 6, {objective}: crops of {CLASSES} speakers",
                [_test(shop, number, objective) for number in range(1, 7)],
            ),
            f"fig11-{objective}.png": (
                f"Fig. 11: {CLASSES} words (above) and the {CLASSES} commonest phonemes, {objective}",
                [*_words(shop, objective), *_phonemes(shop, objective)],
            ),
        }
    lines = ["## Figs 8, 9 and 11: t-SNE maps", f"At most {shop.scale.map_points} points a map."]
    for file, (title, panels) in sorted(made.items()):
        shop.say(f"drawing {file}")
        draw(pictures / file, panels)
        lines.append(f"{title}.\n\n![{title}]({pictures.name}/{file})")
    return "\n\n".join(lines)


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


def tsne(features: Floats) -> Floats:
    """(points, width) → (points, 2), of standardised features."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    standard = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    perplexity = min(30.0, (len(features) - 1) / 3)
    with threadpool_limits(1):
        points: Floats = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(standard)
    return points


def thin(panel: Panel, most: int, classes: Sequence[str] | None = None) -> Panel:
    """At most `most` points, of `classes` only where given; drawn at random."""
    kept = np.arange(len(panel.labels))
    if classes is not None:
        kept = np.flatnonzero(np.isin(panel.labels, list(classes)))
    kept = np.sort(np.random.default_rng(0).permutation(kept)[:most])
    return Panel(panel.title, panel.features[kept], panel.labels[kept])


def _voices(shop: Workshop, title: str, clips: Sequence[Clip], encode: CropEncoder) -> Panel:
    speakers = sorted({clip.speaker for clip in clips})[:CLASSES]
    embedded = embed_clips([clip for clip in clips if clip.speaker in speakers], encode)
    names = np.asarray([clip.speaker for clip in embedded.clips])[embedded.crop_clip]
    return thin(Panel(title, embedded.crops, names), shop.scale.map_points)


def _overfitting(shop: Workshop) -> Panel:
    _, rest = parts(shop)
    return _voices(shop, "E_s", rest, pooled_encoder(overfitted(shop)[0], "E_s"))


def _test(shop: Workshop, number: int, objective: str) -> Panel:
    test = TESTS[number - 1]
    encode = pooled_encoder(shop.model(test.variant(objective)), test.encoder)
    return _voices(shop, f"Test {number}", shop.clips(test.labelled), encode)


def _words(shop: Workshop, objective: str) -> list[Panel]:
    clips = word_clips(shop, "test")
    names = sorted({clip.labels["word"] for clip in clips})
    chosen = np.random.default_rng(0).permutation(names)[:CLASSES].tolist()
    clips = [clip for clip in clips if clip.labels["word"] in chosen]
    labels = np.asarray([clip.labels["word"] for clip in clips])
    model = shop.model(Variant(objective, SOURCE))
    return [
        thin(Panel(f"words, {which}", word_features(model, which, clips), labels), shop.scale.map_points)
        for which in FEATURES
    ]


def _phonemes(shop: Workshop, objective: str) -> list[Panel]:
    panels = []
    for which in FEATURES:
        frames = labelled_frames(shop, objective, which)
        names, counts = np.unique(frames.phone, return_counts=True)
        common = names[np.argsort(-counts)][:CLASSES].tolist()
        panel = Panel(f"phonemes, {which}", frames.features, frames.phone)
        panels.append(thin(panel, shop.scale.map_points, common))
    return panels
