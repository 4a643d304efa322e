"""The training loop: resumable to the exact step, with a log, a picture and a time estimate."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from trainer.training.ahead import batches, workers_for
from trainer.training.checkpoint import load_checkpoint, save_checkpoint
from trainer.training.distributed import Group
from trainer.training.schedule import CheckpointSchedule

Report = Callable[[int, int, dict[str, float]], None]  # (step, steps in all, losses)


class LoopSettings(Protocol):
    """What the loop reads of a model's settings."""

    @property
    def epochs(self) -> int: ...
    @property
    def peak_rate(self) -> float: ...
    @property
    def warm_up(self) -> float: ...
    @property
    def constant_rate(self) -> bool: ...
    @property
    def mixed_precision(self) -> bool: ...
    @property
    def seed(self) -> int: ...
    @property
    def checkpoint_steps(self) -> int: ...
    def to_json(self) -> dict[str, Any]: ...


class Batch(Protocol):
    def to(self, device: torch.device) -> Batch: ...


class Sampler(Protocol):
    """Batches by step, counted from 0 over all epochs; see `trainer.training.batches.PairSampler`."""

    @property
    def steps_per_epoch(self) -> int: ...
    def at(self, step: int) -> Batch: ...


def train(
    settings: LoopSettings,
    objective: nn.Module,
    sampler: Sampler,
    out: Path,
    *,
    group: Group,
    report: Report | None = None,
    workers: int | None = None,
) -> None:
    """Trains the objective in place, or goes on where `out/checkpoint.safetensors` stopped.

    Args:
        objective: (batch, generator) → losses by name, of which `loss` is minimised.
        out: gets `checkpoint.safetensors`, `losses.csv` and `losses.png`.
        group: processes that share the work. Each takes other batches; the leading one writes files.
        workers: processes that cut batches, for each of the group; None: see `workers_for`.

    Raises:
        FloatingPointError: the loss is no longer a number.
        KeyboardInterrupt, SystemExit: it was stopped; the checkpoint holds all steps that were done.
    """
    device = group.device
    objective.to(device)
    shared = group.share(objective)
    optimizer = torch.optim.Adam(objective.parameters(), lr=settings.peak_rate)
    steps = settings.epochs * max(sampler.steps_per_epoch // group.size, 1)

    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.safetensors"
    modules = {"objective": objective}
    step = 0
    if checkpoint.is_file():
        step = load_checkpoint(checkpoint, modules, optimizer)
    log = LossLog(out / "losses.csv", step)

    draws = range(step * group.size + group.rank, steps * group.size, group.size)
    cut = batches(sampler, draws, workers_for(device) if workers is None else workers)
    objective.train()
    with CheckpointSchedule(settings.checkpoint_steps, steps) as schedule:
        while step < steps:
            for parameters in optimizer.param_groups:
                parameters["lr"] = learning_rate(settings, step, steps)
            draw = step * group.size + group.rank
            generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + draw)
            batch = next(cut).to(device)
            with autocast(device, settings.mixed_precision):
                losses = shared(batch, generator)
            optimizer.zero_grad(set_to_none=True)
            losses["loss"].backward()
            optimizer.step()
            step += 1
            values = {name: float(value.detach()) for name, value in losses.items()}
            if not math.isfinite(values["loss"]):
                raise FloatingPointError(f"The loss is {values['loss']} at step {step}: lower peak_rate.")
            if group.leads:
                log.add(step, values)
                if report is not None:
                    report(step, steps, values)
            if schedule.due(step) and group.leads:
                log.flush()  # first: a resumed run drops the rows past its checkpoint, and can invent none
                save_checkpoint(checkpoint, modules, optimizer, step, settings.to_json())
            schedule.leave_if_stopped()
    objective.eval().cpu()


def learning_rate(settings: LoopSettings, step: int, steps: int) -> float:
    """One cycle: cosine from peak/25 up to the peak, then cosine down to (almost) nothing."""
    if settings.constant_rate:
        return settings.peak_rate
    up = settings.warm_up * steps
    start, end = settings.peak_rate / 25, settings.peak_rate / 1e4
    if step < up:
        return _cosine(start, settings.peak_rate, step / up)
    return _cosine(settings.peak_rate, end, (step - up) / max(steps - up, 1))


def _cosine(a: float, b: float, t: float) -> float:
    return b + (a - b) * (1 + math.cos(math.pi * t)) / 2


def autocast(device: torch.device, wanted: bool) -> torch.autocast | nullcontext[None]:
    """bf16 on CUDA, and on processors with bf16 instructions; elsewhere it would only be slower."""
    has_bf16 = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16) if wanted and has_bf16 else nullcontext()


class LossLog:
    """losses.csv, one row a step, and losses.png. Rows past the step a run resumes from are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.started = time.monotonic()
        if path.is_file():
            with path.open(newline="") as file:
                rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["step"] <= step]

    def add(self, step: int, values: dict[str, float]) -> None:
        self.rows.append({"step": step, **values})

    def flush(self) -> None:
        partial = self.path.with_suffix(".csv.partial")  # a kill leaves the old rows or the new ones
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        partial.replace(self.path)
        self._draw()

    def _draw(self) -> None:
        from matplotlib.figure import Figure  # half a second to import: only when a picture is drawn

        names = [name for name in self.rows[0] if name != "step"]
        figure = Figure(figsize=(8, 2.4 * len(names)), layout="constrained")
        for axes, name in zip(figure.subplots(len(names), squeeze=False)[:, 0], names, strict=True):
            values = [row[name] for row in self.rows]
            axes.plot([row["step"] for row in self.rows], values, linewidth=0.7)
            axes.set(ylabel=name, yscale="log" if min(values) > 0 else "linear", xlabel="step")
        figure.savefig(self.path.with_suffix(".png"), dpi=90)
