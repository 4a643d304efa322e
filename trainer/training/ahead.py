"""Batches that worker processes cut ahead of the training. Each depends on its draw only."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

Cut = TypeVar("Cut", covariant=True)
MOST_WORKERS = 4  # of a GPU; more wait for the disk
AHEAD = 4  # batches that a worker has ready at most


class Draws(Protocol[Cut]):
    """Batches by number."""

    def at(self, draw: int, /) -> Cut: ...


def batches(sampler: Draws[Cut], draws: Sequence[int], workers: int) -> Iterator[Cut]:
    """`sampler.at` of each draw, in order.

    Args:
        workers: processes that cut; with 0 this one does, when a batch is asked for.
    """
    if not workers:
        return map(sampler.at, draws)
    loader = DataLoader(
        _Drawn(sampler, draws),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=AHEAD,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_signals_to_the_training,
    )
    return iter(loader)


def workers_for(device: torch.device) -> int:
    """How many processes cut batches where nothing is said: on a processor the cores have enough to do."""
    return min(MOST_WORKERS, os.cpu_count() or 1) if device.type == "cuda" else 0


class _Drawn(Dataset[Cut]):
    def __init__(self, sampler: Draws[Cut], draws: Sequence[int]) -> None:
        self.sampler, self.draws = sampler, draws

    def __len__(self) -> int:
        return len(self.draws)

    def __getitem__(self, place: int) -> Cut:
        return self.sampler.at(self.draws[place])


def _as_it_is(batch: Any) -> Any:
    return batch


def _leave_signals_to_the_training(worker: int) -> None:  # noqa: ARG001 (as DataLoader calls it)
    """Ctrl-C reaches every process of a terminal: the training ends its workers when its step is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
