"""The hours of a GPU that the page's trainings take."""

from __future__ import annotations

import torch

from trainer.reproduce.flops import Effort, counted, hours_table
from trainer.reproduce.syntone.trainings import SynToneRuns
from trainer.syntone.features import FRAMES, ROWS
from trainer.syntone.objectives import MODELS
from trainer.syntone.settings import SETTINGS, SynToneSettings


def planned(runs: SynToneRuns, repeats: int) -> str:
    """A table of the trainings, a row a model."""
    efforts = []
    for name in SETTINGS:
        settings = runs.settings(name, 0)
        clips = len(runs.grid) - int(runs.grid.held_out.sum())
        steps = settings.epochs * max(clips // settings.batch, 1)
        efforts.append(Effort(name, repeats, repeats * steps, step_flops(settings)))
    return hours_table(efforts)


def step_flops(settings: SynToneSettings) -> int:
    """Of the encoders and the decoder, for a batch."""

    def step() -> None:
        model = MODELS[settings.model](settings)
        model.decode(model.codes(torch.empty(settings.batch, ROWS, FRAMES))).sum().backward()

    with torch.device("meta"):
        return counted(step)
