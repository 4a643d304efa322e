"""The arithmetic of a training step, counted on shapes alone, and the hours of a GPU that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trainer.pages.blocks import table

#: Dense bf16 of the makers' data sheets, in FLOP a second.
PEAKS = {"H100": 989e12, "A100": 312e12, "RTX 4090": 165e12}
UTILISATION = 0.3  # of the peak: usual for convolutions; measured nowhere by us


@dataclass(frozen=True)
class Effort:
    """Trainings of one kind.

    Attributes:
        step_flops: of one step, forwards and backwards.
    """

    name: str
    trainings: int
    steps: int  # of all of them
    step_flops: float

    def gpu_hours(self, gpu: str) -> float:
        return self.steps * self.step_flops / (UTILISATION * PEAKS[gpu]) / 3600


def counted(step: Callable[[], None]) -> int:
    """FLOPs of the products and convolutions of `step`, whose tensors may be without numbers."""
    # The counter knows attention by its matrix only.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def hours_table(efforts: Sequence[Effort]) -> str:
    """A row a kind of training and one of all, a column a GPU."""
    rows = [
        [effort.name, f"{effort.trainings}", f"{effort.steps:,}", f"{effort.step_flops / 1e9:,.1f}"]
        + [_hours(effort.gpu_hours(gpu)) for gpu in PEAKS]
        for effort in efforts
    ]
    whole = [_hours(sum(effort.gpu_hours(gpu) for effort in efforts)) for gpu in PEAKS]
    trainings, steps = sum(e.trainings for e in efforts), sum(e.steps for e in efforts)
    rows.append(["in all", f"{trainings}", f"{steps:,}", "", *whole])
    header = ["", "trainings", "steps", "GFLOP a step", *(f"{gpu}, hours" for gpu in PEAKS)]
    return (
        table(header, rows) + f"\n\nHours are FLOPs, counted, at {UTILISATION:.0%} of the GPU's bf16 peak. "
        "That share is assumed; small networks reach less. Reading and measuring come on top."
    )


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours >= 0.1 else "under 0.1"
