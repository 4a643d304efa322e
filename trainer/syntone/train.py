"""The training loop of all five models: one loss, one Adam, resumable to the exact step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.syntone.objectives import MODELS, FactorVAE, Material, SynToneModel
from trainer.syntone.settings import SynToneSettings
from trainer.training.checkpoint import load_checkpoint, read_settings, save_checkpoint
from trainer.training.schedule import CheckpointSchedule

Report = Callable[[int, int, dict[str, float]], None]  # (step, steps in all, losses)


def train(
    settings: SynToneSettings,
    material: Material,
    checkpoint: Path,
    report: Report | None = None,
    device: torch.device | None = None,
) -> SynToneModel:
    """Trains a model, or goes on where the checkpoint stopped. A finished one is only loaded.

    Clips that are held out are never heard.

    Args:
        device: where it trains; the processor if None.

    Returns:
        The trained model, in evaluation mode, on the processor.

    Raises:
        ValueError: the checkpoint belongs to other settings.
        FloatingPointError: the loss is no longer a number.
        KeyboardInterrupt, SystemExit: it was stopped; the checkpoint holds all steps that were done.
    """
    torch.manual_seed(settings.seed)
    device = device or torch.device("cpu")
    model = MODELS[settings.model](settings).to(device)
    optimizer = _optimizer(model, settings)
    clips = material.trained_on
    per_epoch = max(len(clips) // settings.batch, 1)
    steps = settings.epochs * per_epoch
    modules = {"model": model}
    step = 0
    if checkpoint.is_file():
        if read_settings(checkpoint) != asdict(settings):
            raise ValueError(f"{checkpoint} belongs to other settings: delete it, or give the same settings.")
        step = load_checkpoint(checkpoint, modules, optimizer)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)

    model.train()
    material = replace(material, features=material.features.to(device))
    with CheckpointSchedule(settings.checkpoint_steps, steps) as schedule:
        while step < steps:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * (1 + math.cos(math.pi * step / steps)) / 2
            generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + step)
            losses = model.losses(material, _batch(clips, step, per_epoch, settings), generator)
            optimizer.zero_grad(set_to_none=True)
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
            values = {name: float(value.detach()) for name, value in losses.items()}
            if not math.isfinite(values["loss"]):
                raise FloatingPointError(f"The loss is {values['loss']} at step {step}: lower the rate.")
            if report is not None:
                report(step, steps, values)
            if schedule.due(step):
                save_checkpoint(checkpoint, modules, optimizer, step, asdict(settings))
            schedule.leave_if_stopped()
    return model.eval().cpu()


def _optimizer(model: SynToneModel, settings: SynToneSettings) -> torch.optim.Adam:
    discriminator = list(model.discriminator.parameters()) if isinstance(model, FactorVAE) else []
    apart = {id(parameter) for parameter in discriminator}
    main = [parameter for parameter in model.parameters() if id(parameter) not in apart]
    groups = [{"params": main, "peak": settings.rate, "betas": (0.9, 0.999)}]
    if discriminator:
        groups.append({"params": discriminator, "peak": settings.discriminator_rate, "betas": (0.5, 0.9)})
    return torch.optim.Adam(groups)


def _batch(
    clips: NDArray[np.int64], step: int, per_epoch: int, settings: SynToneSettings
) -> NDArray[np.int64]:
    """Those of a step. Each epoch has a new order, and its last few clips are left out."""
    order = np.random.default_rng((settings.seed, step // per_epoch)).permutation(clips)
    start = step % per_epoch * settings.batch
    return order[start : start + settings.batch]
