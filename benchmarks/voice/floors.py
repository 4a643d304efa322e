"""What a voice encoder has to beat: its own input and its own network, both without any training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress

from bundle.scoring import Calibration
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import WEIGHTS, VoiceFit, VoiceModel, fit_voice
from trainer.evaluate import embed_with_progress, labelled_clips, measure
from trainer.training.checkpoint import read_settings
from trainer.training.material import Material


@dataclass(frozen=True)
class Floor:
    """An encoder that learnt nothing, with the whitening and scoring that an export would fit to it."""

    name: str
    model: VoiceModel
    fit: VoiceFit

    def compare(
        self, data_dir: Path, *, split: str | None, speakers: int, seed: int, console: Console
    ) -> dict[str, Any]:
        """The figures of `trainer.evaluate.measure` on a folder; arguments as for `evaluate`."""
        with Progress(console=console) as progress:
            clips = labelled_clips(data_dir, split)
            embedded = embed_with_progress(
                clips, lambda crops: self.fit.whitening(self.model.encode(crops)), progress
            )
            scoring = self.fit.scoring
            return measure(
                embedded,
                scoring["mean"],
                Calibration(**scoring["calibration"]),
                speakers=speakers,
                seed=seed,
                progress=progress,
            )


def fit_floors(bundle: Path, data: Path, console: Console, *, every: int = 1) -> Iterator[Floor]:
    """The floors of an Autodecompose bundle, fitted on the train speech that its card names.

    Args:
        data: folder of the corpora.
        every: fits on every n-th clip only, for a quick look.

    Raises:
        DataError: a corpus of the card is not in `data`.
    """
    card = json.loads((bundle / "bundle.json").read_text())["training"]
    material = Material.of_card(card, data)
    for name, model in floor_models(TrainSettings.from_json(read_settings(bundle / WEIGHTS))).items():
        with Progress(console=console) as progress:
            fit = fit_voice(
                model,
                material.speech()[::every],
                material.noise_clips(),
                progress,
                rooms=material.room_clips(),
            )
        yield Floor(name, model, fit)


def floor_models(settings: TrainSettings, seed: int = 0) -> dict[str, VoiceModel]:
    """By name: the front-end alone, and the network with random weights."""
    torch.manual_seed(seed)
    untrained = autodecompose_voice(Objective(settings))
    frontend = Objective(settings).frontend
    # (batch, 16384) → (batch, 2 · mels)
    return {
        "no network": replace(untrained, represent=lambda waveform: pool(frontend(waveform))),
        "untrained": untrained,
    }
