"""Algorithm 1, resumable to the exact step: k updates of S and L, then one of E, D and C."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.gaae.adversarial import Adversarial, Networks
from trainer.gaae.data import GaaeBatch, GaaeSampler
from trainer.training.ahead import batches, workers_for
from trainer.training.checkpoint import load_checkpoint, read_step, save_checkpoint
from trainer.training.loop import LossLog, Report, autocast
from trainer.training.schedule import CheckpointSchedule

BETAS = (0.0, 0.999)  # Adam's, as in BigGAN


def train(
    model: Adversarial[Networks],
    sampler: GaaeSampler,
    out: Path,
    device: torch.device,
    *,
    report: Report | None = None,
    on_checkpoint: Callable[[Networks, int], None] | None = None,
    workers: int | None = None,
) -> Networks:
    """Trains the model in place, or goes on where `out/checkpoint.safetensors` stopped.

    Args:
        out: gets `checkpoint.safetensors`, `losses.csv` and `losses.png`.
        report: called after each iteration.
        on_checkpoint: called with the averaged `edc` after each checkpoint.
        workers: processes that cut batches; None: see `workers_for`.

    Returns:
        The averaged `edc`.

    Raises:
        FloatingPointError: a loss is no longer a number.
        KeyboardInterrupt, SystemExit: it was stopped; the checkpoint holds all iterations that were done.
        ValueError: the checkpoint has more iterations than the settings ask for.
    """
    settings = model.settings
    # Convolutions on a processor are about a third faster with the channels last.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.to(device).train()
    average = copy.deepcopy(model.edc).requires_grad_(False)
    optimizer = make_optimizer(model)
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.safetensors"
    step = settings.iterations - iterations_left(out, settings.iterations)
    if step:
        load_checkpoint(checkpoint, modules, optimizer)
    log = LossLog(out / "losses.csv", step)
    updates = settings.k + 1  # of an iteration, a batch each
    draws = range(step * updates, settings.iterations * updates)
    cut = batches(sampler, draws, workers_for(device) if workers is None else workers)
    with CheckpointSchedule(settings.checkpoint_steps, settings.iterations) as schedule:
        while step < settings.iterations:
            values = iteration(model, cut, optimizer, step, device)
            step += 1
            follow(average, model.edc, settings.average if step > settings.average_from else 0.0)
            wrong = [name for name, value in values.items() if not math.isfinite(value)]
            if wrong:
                raise FloatingPointError(
                    f"{', '.join(wrong)} is not a number at iteration {step}: lower the rates."
                )
            log.add(step, values)
            if report is not None:
                report(step, settings.iterations, values)
            if schedule.due(step):
                log.flush()  # first, as in `trainer.training.loop`
                save_checkpoint(checkpoint, modules, optimizer, step, settings.to_json())
                if on_checkpoint is not None:
                    on_checkpoint(average, step)
            schedule.leave_if_stopped()
    return average.eval().cpu()


def iterations_left(out: Path, iterations: int) -> int:
    """How many of `iterations` a run folder's checkpoint still lacks.

    Raises:
        ValueError: it has more already.
    """
    done = read_step(out / "checkpoint.safetensors")
    if done > iterations:
        raise ValueError(
            f"{out} already has {done} iterations: ask for at least that many, not {iterations}."
        )
    return iterations - done


def make_optimizer(model: Adversarial[Networks]) -> torch.optim.Adam:
    """One Adam with two rates: for E, D and C, and for S and L. It skips parameters without a gradient."""
    s = model.settings
    apart = [*model.S.parameters(), *model.L.parameters()]
    groups = [
        {"params": list(model.edc.parameters()), "lr": s.rate},
        {"params": apart, "lr": s.discriminator_rate},
    ]
    return torch.optim.Adam(groups, betas=BETAS)


def iteration(
    model: Adversarial[Networks],
    cut: Iterator[GaaeBatch],
    optimizer: torch.optim.Optimizer,
    step: int,
    device: torch.device,
) -> dict[str, float]:
    """One iteration of Algorithm 1, on the next k + 1 batches; returns the losses of its last two updates."""
    settings = model.settings
    losses: dict[str, Tensor] = {}
    for i in range(settings.k + 1):
        draw = step * (settings.k + 1) + i
        generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + draw)
        batch = next(cut).to(device)
        losses |= update(model, batch, optimizer, generator, discriminate=i < settings.k)
    return {name: float(value) for name, value in losses.items()}


def update(
    model: Adversarial[Networks],
    batch: GaaeBatch,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    *,
    discriminate: bool,
) -> dict[str, Tensor]:
    """One update of S and L, or else of E, D and C; returns its losses, means over the batch's parts."""
    settings, device = model.settings, batch.x_u.device
    # In the update of E, D and C, S and L only pass gradients on: none are computed for their weights.
    model.S.requires_grad_(discriminate)
    model.L.requires_grad_(discriminate)
    optimizer.zero_grad(set_to_none=True)
    means: dict[str, Tensor] = {}
    for part in batch.parts(settings.accumulate):
        with autocast(device, settings.mixed_precision):
            if discriminate:
                terms = model.discriminator_losses(part, generator)
                loss = terms["S_loss"] + terms.get("L_d_loss", 0.0)  # no parameter is in both
            else:
                terms = model.edc_losses(part, generator)
                loss = terms["EDC_loss"]
        (loss / settings.accumulate).backward()  # type: ignore[no-untyped-call]
        for name, value in terms.items():
            means[name] = means.get(name, 0.0) + value.detach() / settings.accumulate
    optimizer.step()
    return means


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Moves averaged parameters towards the trained ones. Buffers of batch and spectral norm are copied."""
    for parameter, trained in zip(average.parameters(), module.parameters(), strict=True):
        parameter.lerp_(trained, 1 - decay)
    for buffer, latest in zip(average.buffers(), module.buffers(), strict=True):
        buffer.copy_(latest)
