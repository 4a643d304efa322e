"""Sheets of spectrograms, interpolation, one style under all labels, maps of both representations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.gaae.networks import Decoder
from trainer.gaae.objective import Autoencoder
from trainer.gaae.sheet import draw_sheet
from trainer.pages.tsne import Panel, draw, thin
from trainer.reproduce.gaae.classifier import answers
from trainer.reproduce.gaae.material import TASKS, LabelledSpectrograms
from trainer.reproduce.gaae.recipes import Training, length_of, rivals
from trainer.reproduce.gaae.trainings import GaaeRuns

ROWS = 2  # of a kind on a sheet
STYLES = 4
STEPS = 8  # from one latent to the other


def best(runs: GaaeRuns, task: str) -> Training:
    """The GAAE that the figures of a task show."""
    return rivals(runs.scale, task, length_of(task))["GAAE"]


def sheets(runs: GaaeRuns, pictures: Path) -> str:
    lines = ["## Spectrograms, generated and real"]
    for task in _tasks(runs):
        decoder, labels = runs.decoder(best(runs, task)), TASKS[task].labels
        z = _latents(runs, ROWS)
        made = torch.stack([_under_all_labels(decoder, row, len(labels)) for row in z])
        train = runs.spectrograms(task, "train")
        real = torch.stack([_one_of_each(train, len(labels), i) for i in range(ROWS)])
        title = f"{task}: {ROWS} rows generated, {ROWS} real"
        draw_sheet(torch.cat([made, real]), labels, title, pictures / f"sheet-{task}.png")
        lines.append(_shown(title, pictures, f"sheet-{task}.png"))
    return "\n\n".join(lines)


def styles(runs: GaaeRuns, pictures: Path) -> str:
    """Section V-E: z' of test audio under every label."""
    lines = [
        "## One style under all labels",
        "The first column is real test audio. Its general representation z' is decoded with each label.",
    ]
    for task in _tasks(runs):
        training = best(runs, task)
        decoder, labels, test = runs.decoder(training), TASKS[task].labels, runs.spectrograms(task, "test")
        chosen = np.random.default_rng(0).permutation(len(test.y))[:STYLES]
        _, style = _representations(runs, training, test.x[chosen])
        rows = [
            torch.cat([x[None], _under_all_labels(decoder, z.to(runs.device), len(labels))])
            for x, z in zip(test.x[chosen], style, strict=True)
        ]
        title = f"{task}: the style of real audio under all labels"
        draw_sheet(torch.stack(rows), ["audio", *labels], title, pictures / f"styles-{task}.png")
        lines.append(_shown(title, pictures, f"styles-{task}.png"))
    return "\n\n".join(lines)


def interpolation(runs: GaaeRuns, pictures: Path) -> str:
    """Section V-F: z₀ + η (z₁ − z₀). As printed, (z₀ − z₁), it would lead away from z₁."""
    lines = ["## Interpolation", "From one latent to another. A row is a label."]
    eta = torch.linspace(0, 1, STEPS)
    for task in _tasks(runs):
        decoder, labels = runs.decoder(best(runs, task)), TASKS[task].labels
        rows = []
        for y in range(ROWS):
            z0, z1 = _latents(runs, 2 * ROWS)[2 * y : 2 * y + 2]
            z = z0 + eta.to(runs.device)[:, None] * (z1 - z0)
            one_hot = F.one_hot(torch.full((STEPS,), y), len(labels)).float()
            with torch.no_grad():
                rows.append(decoder(z, one_hot.to(runs.device)).cpu())
        title = f"{task}: {' and '.join(labels[:ROWS])}, from z₀ to z₁"
        columns = [f"η = {value:.2f}" for value in eta.tolist()]
        draw_sheet(torch.stack(rows), columns, title, pictures / f"interpolation-{task}.png")
        lines.append(_shown(title, pictures, f"interpolation-{task}.png"))
    return "\n\n".join(lines)


def maps(runs: GaaeRuns, pictures: Path) -> str:
    """Sections V-D and V-E."""
    lines = ["## t-SNE maps of both representations"]
    for task in _tasks(runs):
        panels = _maps(runs, task)
        title = f"{task}, test: the guided representation, the general one, and that again by speaker"
        draw(pictures / f"tsne-{task}.png", [thin(panel, runs.scale.map_points) for panel in panels])
        lines.append(_shown(title, pictures, f"tsne-{task}.png"))
    if not runs.has("gender"):
        return "\n\n".join(lines)
    audio = runs.spectrograms("gender", "test")
    _, style = _representations(runs, best(runs, "digits"), audio.x)
    names = np.asarray(TASKS["gender"].labels)[audio.y]
    title = "general representation of another corpus, by gender"
    draw(
        pictures / "tsne-gender.png",
        [thin(Panel("z', gender", style.numpy(), names), runs.scale.map_points)],
    )
    lines.append(
        _shown(f"The digits' model, trained without labels of gender: {title}", pictures, "tsne-gender.png")
    )
    return "\n\n".join(lines)


def _maps(runs: GaaeRuns, task: str) -> list[Panel]:
    audio = runs.spectrograms(task, "test")
    guided, style = (part.numpy() for part in _representations(runs, best(runs, task), audio.x))
    names = np.asarray(TASKS[task].labels)[audio.y]
    speakers = np.asarray([clip.speaker for clip in audio.clips])
    return [
        Panel(f"z, {TASKS[task].column}", guided, names),
        Panel(f"z', {TASKS[task].column}", style, names),
        Panel("z', speaker or instrument", style, speakers),
    ]


def _tasks(runs: GaaeRuns) -> Sequence[str]:
    return [task for task in ("digits", "instruments") if runs.has(task)]


def _representations(runs: GaaeRuns, training: Training, x: Tensor) -> tuple[Tensor, Tensor]:
    """Guided z (n, guided_dim) and general z' (n, latent_dim) of spectrograms."""
    networks = runs.networks(training).to(runs.device)
    assert isinstance(networks, Autoencoder)
    both = answers(lambda part: torch.cat(networks.E(part), dim=1), x, runs.device)
    guided_dim = runs.settings(training).guided_dim
    return both[:, :guided_dim], both[:, guided_dim:]


@torch.no_grad()
def _under_all_labels(decoder: Decoder, z: Tensor, classes: int) -> Tensor:
    """(latent_dim,) → (classes, bins, frames)."""
    y = torch.eye(classes, device=z.device)
    spectrograms: Tensor = decoder(z.expand(classes, -1), y).cpu()
    return spectrograms


def _latents(runs: GaaeRuns, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, runs.scale.settings().latent_dim, generator=generator).to(runs.device)


def _one_of_each(audio: LabelledSpectrograms, classes: int, which: int) -> Tensor:
    """One real spectrogram a class: (classes, bins, frames)."""
    by_class = [np.flatnonzero(audio.y == y) for y in range(classes)]
    return torch.stack([audio.x[indices[(which * 17) % len(indices)]] for indices in by_class])


def _shown(title: str, pictures: Path, file: str) -> str:
    return f"{title}.\n\n![{title}]({pictures.name}/{file})"
