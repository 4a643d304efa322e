"""Figs 8, 9 and 11: t-SNE maps of voices, words and phonemes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.audio.folders import Clip
from trainer.pages.tsne import Panel, draw, thin
from trainer.reproduce.autodecompose.features import FEATURES, frame_encoder, pooled_encoder
from trainer.reproduce.autodecompose.overfitting import overfitted, parts
from trainer.reproduce.autodecompose.phonemes import SOURCE, labelled_frames
from trainer.reproduce.autodecompose.settings import OBJECTIVES, TESTS, Variant
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.reproduce.autodecompose.words import word_clips, word_features
from trainer.scoring.embedding import CropEncoder, embed_clips

CLASSES = 10  # colours that can be told apart on one map


def maps(runs: AutodecomposeRuns, pictures: Path) -> str:
    """Draws the maps into `pictures`; the text refers to them by `<folder>/<file>`."""
    made = {
        "fig9.png": ("Fig. 9: the overfitting test, crops of speech not trained on", [_overfitting(runs)])
    }
    for objective in OBJECTIVES:
        made |= {
            f"fig8-{objective}.png": (
                f"Fig. 8: E_s in Tests 1 to 6, {objective}: crops of {CLASSES} speakers",
                [_test(runs, number, objective) for number in range(1, 7)],
            ),
            f"fig11-{objective}.png": (
                f"Fig. 11: {CLASSES} words (above) and the {CLASSES} commonest phonemes, {objective}",
                [*_words(runs, objective), *_phonemes(runs, objective)],
            ),
        }
    lines = ["## Figs 8, 9 and 11: t-SNE maps", f"At most {runs.scale.map_points} points a map."]
    for file, (title, panels) in sorted(made.items()):
        runs.say(f"drawing {file}")
        draw(pictures / file, panels)
        lines.append(f"{title}.\n\n![{title}]({pictures.name}/{file})")
    return "\n\n".join(lines)


def _voices(runs: AutodecomposeRuns, title: str, clips: Sequence[Clip], encode: CropEncoder) -> Panel:
    speakers = sorted({clip.speaker for clip in clips})[:CLASSES]
    embedded = embed_clips([clip for clip in clips if clip.speaker in speakers], encode)
    names = np.asarray([clip.speaker for clip in embedded.clips])[embedded.crop_clip]
    return thin(Panel(title, embedded.crops, names), runs.scale.map_points)


def _overfitting(runs: AutodecomposeRuns) -> Panel:
    _, rest = parts(runs)
    return _voices(runs, "E_s", rest, pooled_encoder(overfitted(runs)[0], "E_s"))


def _test(runs: AutodecomposeRuns, number: int, objective: str) -> Panel:
    test = TESTS[number - 1]
    encode = pooled_encoder(runs.model(test.variant(objective)), test.encoder)
    return _voices(runs, f"Test {number}", runs.clips(test.labelled), encode)


def _words(runs: AutodecomposeRuns, objective: str) -> list[Panel]:
    clips = word_clips(runs, "test")
    names = sorted({clip.labels["word"] for clip in clips})
    chosen = np.random.default_rng(0).permutation(names)[:CLASSES].tolist()
    clips = [clip for clip in clips if clip.labels["word"] in chosen]
    labels = np.asarray([clip.labels["word"] for clip in clips])
    model = runs.model(Variant(objective, SOURCE))
    return [
        thin(
            Panel(f"words, {which}", word_features(frame_encoder(model, which), clips), labels),
            runs.scale.map_points,
        )
        for which in FEATURES
    ]


def _phonemes(runs: AutodecomposeRuns, objective: str) -> list[Panel]:
    panels = []
    for which in FEATURES:
        frames = labelled_frames(runs, objective, which)
        names, counts = np.unique(frames.phone, return_counts=True)
        common = names[np.argsort(-counts)][:CLASSES].tolist()
        panel = Panel(f"phonemes, {which}", frames.features, frames.phone)
        panels.append(thin(panel, runs.scale.map_points, common))
    return panels
