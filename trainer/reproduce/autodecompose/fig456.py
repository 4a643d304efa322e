"""Figs 4 to 6: what flows through the architecture, and what the two augmentations do to a crop."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from bundle.voice import VoiceBundle
from trainer.audio.folders import contiguous_crops, read_audio
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.autodecompose.augment import (
    AugmentSettings,
    mask_mel,
    mask_time,
    permute_pieces,
    scramble_time,
    shift_voice,
    stretch_mel,
)
from trainer.autodecompose.objective import Objective
from trainer.finetuning.network import Network
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns

SHOWN = "test-other"  # its first recording's second crop
DRAWS = 2  # of each augmentation
COLOURS = 64  # of a PNG: a third of the size, and nothing is seen of it


def fig456(runs: AutodecomposeRuns, pictures: Path, bundle: Path) -> str:
    """Draws into `pictures`; the text refers to them by `<folder>/<file>`.

    Args:
        bundle: the shipped model, whose networks Fig. 4 shows.

    Raises:
        FinetuneError: it has no weights for torch.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    clip = runs.clips(SHOWN)[0]
    crop = torch.from_numpy(contiguous_crops(read_audio(clip.path))[1:2])
    shipped = VoiceBundle.load(bundle)
    drawn = {
        "fig4.png": (
            f"Fig. 4: what the networks of {shipped.id} make of a crop d",
            _architecture(Network.load(shipped).objective, crop),
        ),
        "fig5.png": ("Fig. 5: A_s keeps the voice and loses the content", _scrambled(crop)),
        "fig6.png": ("Fig. 6: A_c keeps the content and changes the voice", _shifted(crop)),
    }
    lines = [
        "## Figs 4 to 6: the architecture and the augmentations",
        f"A crop of 1.024 s of speaker {clip.speaker} of librispeech test. Time runs to the right, and "
        "frequency upwards. In Fig. 4 the rows of E_s and E_c are the dimensions of their frames. "
        "The numbers of the augmentations are section IV-A's (`AugmentSettings`).",
    ]
    for file, (title, figure) in drawn.items():
        _save(figure, pictures / file)
        lines.append(f"{title}.\n\n![{title}]({pictures.name}/{file})")
    return "\n\n".join(lines)


@torch.no_grad()
def _architecture(objective: Objective, crop: Tensor) -> Figure:
    """Equation 2 from left to right, voice above and content below."""
    generator, settings = torch.Generator().manual_seed(0), AugmentSettings()
    d = objective.frontend(crop)
    s, c = scramble_time(d, generator, settings), shift_voice(d, generator, settings)
    voice, content = objective.model.E_s(s), objective.model.E_c(c)
    rebuilt = objective.model.decode(voice, content)
    scale = (float(d.min()), float(d.max()))
    figure = Figure(figsize=(13, 5), layout="constrained")
    axes = figure.subplot_mosaic("ABCE;FGHI", empty_sentinel="F")
    for place, title, x, limits in (
        ("A", "d", d, scale),
        ("B", "A_s(d)", s, scale),
        ("C", "E_s(A_s(d))", voice, None),
        ("E", "d̂ = G(E_s, E_c)", rebuilt, scale),
        ("G", "A_c(d)", c, scale),
        ("H", "E_c(A_c(d))", content, None),
        ("I", "|d − d̂|", (d - rebuilt).abs(), (0.0, scale[1] - scale[0])),
    ):
        _show(axes[place], title, x, limits)
    return figure


def _scrambled(crop: Tensor) -> Figure:
    generator, settings = torch.Generator().manual_seed(0), AugmentSettings()
    d = LogMel(FRONTENDS["paper"])(crop)
    panels = [("d", d)]
    for _ in range(DRAWS):
        pieces = permute_pieces(d, generator, settings)
        panels += [("pieces permuted", pieces), ("and time masked", mask_time(pieces, generator, settings))]
    return _row(panels)


def _shifted(crop: Tensor) -> Figure:
    generator, settings = torch.Generator().manual_seed(7), AugmentSettings()  # shrinks, then stretches
    d = LogMel(FRONTENDS["paper"])(crop)
    panels = [("d", d)]
    for _ in range(DRAWS):
        shifted = stretch_mel(d, generator, settings)
        panels += [
            ("stretched or shrunk", shifted),
            ("and bands masked", mask_mel(shifted, generator, settings)),
        ]
    return _row(panels)


def _save(figure: Figure, path: Path) -> None:
    drawn = BytesIO()
    figure.savefig(drawn, dpi=70)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _row(panels: Sequence[tuple[str, Tensor]]) -> Figure:
    d = panels[0][1]
    figure = Figure(figsize=(2.6 * len(panels), 2.9), layout="constrained")
    for axes, (title, x) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        _show(axes, title, x, (float(d.min()), float(d.max())))
    return figure


def _show(axes: Axes, title: str, x: Tensor, limits: tuple[float, float] | None) -> None:
    """Features (1, time, rows) as a picture, on one scale of colours or on their own."""
    image = np.asarray(x[0].T)
    low, high = limits or tuple(np.percentile(image, (1, 99)).tolist())  # a few frames would take it all
    axes.imshow(image, origin="lower", aspect="auto", cmap="magma", vmin=low, vmax=high)
    axes.set(title=title, xticks=[], yticks=[])
