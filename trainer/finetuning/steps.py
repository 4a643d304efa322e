"""The steps of a fine-tuning: few, small, from a trained model. They need torch; the adaptation does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainer.audio.cache import ClipCache
from trainer.autodecompose.objective import Objective
from trainer.finetuning.errors import Canceled, FinetuneError
from trainer.training.batches import PairSampler
from trainer.training.checkpoint import load_checkpoint, read_settings, save_checkpoint
from trainer.training.loop import autocast
from trainer.training.schedule import CheckpointSchedule

OnStep = Callable[[int, int, float], None]  # (step, steps in all, loss)


@dataclass(frozen=True)
class StepSettings:
    """Chosen on train speakers set aside: docs/model-updates.md."""

    steps: int
    batch: int = 16  # random pairs of crops: about ten seconds of audio
    rate: float = 1e-6  # Adam: a thousandth of pretraining's peak, falling to 0 as a cosine
    same_voice_seconds: float = 0.0
    freeze_norm: bool = True  # batch norm keeps the parent's statistics: a few crops give noisy ones
    seed: int = 0
    checkpoint_steps: int = 10  # a killed worker loses at most this many


def take_steps(
    objective: Objective,
    speech: ClipCache,
    settings: StepSettings,
    work_dir: Path,
    *,
    on_step: OnStep,
    canceled: Callable[[], bool],
    voices: NDArray[np.int64] | None = None,
) -> None:
    """Trains `objective` in place, or goes on from the checkpoint of a killed worker in `work_dir`.

    It trains on a GPU where there is one, and comes back to the CPU.

    Args:
        voices: (recordings,) pseudo-speakers of `speech`, whose other recordings make pairs; None: each
            recording makes pairs with itself.

    Raises:
        Canceled: `canceled()` turned true; the checkpoint holds all steps that were done.
        FinetuneError: the loss is not finite.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    objective.to(device)
    optimizer = torch.optim.Adam(objective.parameters(), lr=settings.rate)
    sampler = PairSampler(
        speech, None, settings.batch, settings.seed, settings.same_voice_seconds, voices=voices
    )
    checkpoint = work_dir / "checkpoint.safetensors"
    modules = {"objective": objective}
    step = 0
    if checkpoint.is_file() and read_settings(checkpoint) == asdict(settings):
        step = load_checkpoint(checkpoint, modules, optimizer)
    schedule = CheckpointSchedule(settings.checkpoint_steps, settings.steps)
    _training_mode(objective, settings.freeze_norm)
    while step < settings.steps:
        if canceled():
            if step:
                save_checkpoint(checkpoint, modules, optimizer, step, asdict(settings))
            raise Canceled(f"Canceled after {step} of {settings.steps} steps.")
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * (1 + math.cos(math.pi * step / settings.steps)) / 2
        generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + step)
        with autocast(device, objective.settings.mixed_precision):
            loss = objective(sampler.at(step).to(device), generator)["loss"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FinetuneError(f"The loss is {value} at step {step}: send other audio.")
        if schedule.due(step):
            save_checkpoint(checkpoint, modules, optimizer, step, asdict(settings))
        on_step(step, settings.steps, value)
    objective.eval().cpu()


def _training_mode(objective: Objective, freeze_norm: bool) -> None:
    objective.train()
    if freeze_norm:
        for module in objective.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
