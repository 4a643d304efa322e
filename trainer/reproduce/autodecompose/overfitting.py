"""Section V-C3: a network far too large for 60 seconds of speech."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from trainer.audio.folders import Clip
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import PRESETS, TrainSettings
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.features import pooled_encoder
from trainer.reproduce.autodecompose.material import clip_seconds, first_seconds
from trainer.reproduce.autodecompose.measures import voice_figures
from trainer.reproduce.autodecompose.settings import Effort
from trainer.reproduce.autodecompose.trainings import SHOT_S, AutodecomposeRuns
from trainer.training.batches import PairSampler

NAME = "overfitting"
TRAINED_S = 20.0  # a speaker
CHUNKS = 20  # the loss is looked at this often
FLAT = 0.005  # a chunk that lowers the mean loss by less than this share is the last


def overfitting(runs: AutodecomposeRuns) -> str:
    figures = runs.figures(NAME, lambda: _compute(runs))
    rows = [["paper, very large, 5000 epochs", "98.6"]]  # 98.5 in its abstract
    rows += [
        [name, f"{shot['f1']:.1f} ± {shot['std']:.1f}"]
        for name, shot in (
            (f"here, {figures['networks']}, {figures['epochs']} epochs", figures["trained"]),
            ("here, the same network untrained", figures["untrained"]),
            ("here, mel features", figures["mel"]),
        )
    ]
    return "\n\n".join(
        [
            "## Overfitting",
            f"Networks `{figures['networks']}` ({figures['parameters'] / 1e6:.1f} M parameters) with the "
            "plain objective, on the three speakers of speechocean762 test with the most audio: "
            f"{', '.join(figures['speakers'])}. They were trained on the first recordings of each, "
            f"{TRAINED_S:.0f} s or a little more, {figures['trained_s']:.0f} s in all. F1 in % is on the "
            f"other {figures['rest_s']:.0f} s of their speech, from {SHOT_S} s of it a speaker, over "
            f"{runs.scale.overfit_draws} draws.",
            table(["", "F1"], rows),
            f"{figures['stopped']} The loss fell from {figures['losses'][0]:.4g} to "
            f"{figures['losses'][-1]:.4g}.",
        ]
    )


def parts(runs: AutodecomposeRuns) -> tuple[list[Clip], list[Clip]]:
    """What is trained on, and the rest of the three speakers' speech."""
    return first_seconds(runs.clips("three"), TRAINED_S)


def settings(runs: AutodecomposeRuns) -> TrainSettings:
    networks = runs.scale.overfit_networks
    return replace(PRESETS[runs.scale.overfit_preset], encoder=networks, decoder=networks)


def overfitted(runs: AutodecomposeRuns) -> tuple[Objective, str]:
    """The model, and why its training ended; each chunk of epochs goes on where the last one stopped."""
    clips, _ = parts(runs)
    wanted, most = settings(runs), runs.scale.overfit.epochs
    epoch = PairSampler(runs.cache(clips), None, wanted.batch, wanted.seed).steps_per_epoch  # in steps
    chunk = max(most // CHUNKS, 1)
    for epochs in (*range(chunk, most, chunk), most):
        model = runs.autodecompose(NAME, wanted, clips, Effort(epochs))
        if is_flat(_losses(runs)[: epochs * epoch], chunk * epoch) and epochs < most:
            return model, f"The loss was flat: stopped after {epochs} of {most} epochs."
    return model, f"All {most} epochs were trained."


def is_flat(losses: list[float], chunk: int) -> bool:
    """Whether the last `chunk` steps lowered the mean loss by less than `FLAT` against those before."""
    if len(losses) < 2 * chunk:
        return False
    before, last = np.mean(losses[-2 * chunk : -chunk]), np.mean(losses[-chunk:])
    return bool(last > (1 - FLAT) * before)


def _losses(runs: AutodecomposeRuns) -> list[float]:
    with (runs.folder / "trained" / NAME / "losses.csv").open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def _compute(runs: AutodecomposeRuns) -> dict[str, Any]:
    clips, rest = parts(runs)
    model, stopped = overfitted(runs)
    torch.manual_seed(0)
    untrained = Objective(model.settings)

    def shot(objective: Objective, which: str) -> Any:
        encode = pooled_encoder(objective, which)
        draws = runs.scale.overfit_draws
        return voice_figures(rest, encode, draws=draws, standardise=True, seconds=(SHOT_S,))["few_shot"]["10"]

    losses = _losses(runs)
    return {
        "networks": runs.scale.overfit_networks,
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": model.settings.epochs,
        "stopped": stopped,
        "speakers": sorted({clip.speaker for clip in clips}),
        "trained_s": sum(map(clip_seconds, clips)),
        "rest_s": sum(map(clip_seconds, rest)),
        "losses": [losses[0], losses[-1]],
        "trained": shot(model, "E_s"),
        "untrained": shot(untrained, "E_s"),
        "mel": shot(model, "mel"),
    }
