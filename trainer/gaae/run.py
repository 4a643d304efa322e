"""A GAAE training: folders of audio → a run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trainer.gaae.data import GaaeSampler, Guidance, read_labelled, read_pool
from trainer.gaae.objective import GAAE, Autoencoder
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.sheet import draw_sheet, generate
from trainer.gaae.train import iterations_left, train
from trainer.machine import training_machine
from trainer.training.checkpoint import load_checkpoint, read_settings
from trainer.training.progress import build_speech_cache, training_progress
from trainer.training.run_folder import RunFolder

SHEET_ROWS = 4  # latents, each under every label


@dataclass(frozen=True)
class TrainedGaae:
    """The averaged E, D and C of a run folder, in evaluation mode, and how they were trained."""

    networks: Autoencoder
    settings: GaaeSettings
    guidance: Guidance
    iterations: int
    card: dict[str, Any]  # run.json

    @classmethod
    def load(cls, run: Path) -> TrainedGaae:
        """Reads a run folder.

        Raises:
            FileNotFoundError: the folder has no checkpoint or no run.json.
        """
        folder = RunFolder(run)
        settings = GaaeSettings.from_json(read_settings(folder.require_checkpoint()))
        card = json.loads(folder.card.read_text())
        guidance = Guidance.from_json(card["guidance"])
        networks = Autoencoder(settings, len(guidance.labels))
        step = load_checkpoint(folder.checkpoint, {"average": networks})
        return cls(networks.eval(), settings, guidance, step, card)

    def public_card(self) -> dict[str, Any]:
        """run.json as a bundle carries it: with the iterations done, and folders by name instead of path."""
        guidance = self.guidance
        names = {
            "labelled": guidance.labelled.name,
            "unlabelled": [folder.name for folder in guidance.unlabelled],
        }
        return {**self.card, "guidance": guidance.to_json() | names, "iterations": self.iterations}


def train_gaae(
    settings: GaaeSettings, guidance: Guidance, out: Path, cache_dir: Path, console: Console
) -> None:
    """Trains, or goes on where the run folder stopped. Draws a sheet of generated samples at each checkpoint.

    A finished run is left as it is. With more `iterations` than before it goes on.

    Raises:
        DataError: a folder cannot be read, or has no clip of a class.
        ValueError: the run folder belongs to other settings or other audio, or has more iterations.
    """
    if RunFolder(out).checkpoint.is_file():
        before = TrainedGaae.load(out)
        same_length = replace(  # rates are constant: a training may go on longer
            before.settings,
            iterations=settings.iterations,
            checkpoint_steps=settings.checkpoint_steps,
            recompute=settings.recompute,  # the same numbers, in less memory
        )
        if (same_length, before.guidance) != (settings, guidance):
            raise ValueError(f"{out} belongs to other settings: choose another --out, or give the same.")
        if not iterations_left(out, settings.iterations):
            return
    sampler = make_sampler(settings, guidance, cache_dir, console)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out.mkdir(parents=True, exist_ok=True)
    card = {
        "model": "gaae",
        "guidance": guidance.to_json(),
        "labelled_clips": len(sampler.labelled),
        "unlabelled_clips": len(sampler.unlabelled),
        "unlabelled_hours": round(sampler.unlabelled.hours, 3),
        "settings": settings.to_json(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": training_machine(),
        "torch": torch.__version__,
    }
    RunFolder(out).card.write_text(json.dumps(card, indent=2) + "\n")

    def draw(average: Autoencoder, step: int) -> None:
        z = torch.randn(SHEET_ROWS, settings.latent_dim, generator=torch.Generator().manual_seed(0))
        rows = generate(average.D, z.to(device), len(guidance.labels))
        title = f"iteration {step}: one latent a row, one label a column"
        draw_sheet(rows.cpu(), guidance.labels, title, out / "samples.png")

    with training_progress(console) as report:
        torch.manual_seed(settings.seed)
        model = GAAE(settings, len(guidance.labels))
        train(model, sampler, out, device, report=report, on_checkpoint=draw)


def make_sampler(
    settings: GaaeSettings, guidance: Guidance, cache_dir: Path, console: Console
) -> GaaeSampler:
    """The sampler of a training, over its decoded audio.

    Raises:
        DataError: see `read_labelled` and `read_pool`.
    """
    pairs = read_labelled(guidance, settings.seed)
    class_of = {clip.path: y for clip, y in pairs}
    labelled = build_speech_cache([clip for clip, _ in pairs], cache_dir, console, "reading labelled")
    unlabelled = build_speech_cache(read_pool(guidance), cache_dir, console, "reading unlabelled")
    classes = [class_of[clip.path] for clip in labelled.clips]  # files that cannot be read are left out
    sizes = (settings.batch, settings.labelled_batch)
    return GaaeSampler(unlabelled, labelled, classes, sizes, settings.seed, guidance.second)
