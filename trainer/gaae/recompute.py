"""Gradient checkpointing (T. Chen et al. 2016): a block saves its input and runs again for its gradient.

The second run gives the same numbers as the first: the statistics of batch norm and the power iterations of
spectral norm, which a forward pass moves on, stay where the first run left them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from trainer.gaae.blocks import SpectralNorm


def run(block: nn.Module, *inputs: Tensor | None, recompute: bool) -> Tensor:
    """`block(*inputs)`; with `recompute` a training keeps nothing of it but the inputs."""
    output: Tensor
    if recompute and block.training and torch.is_grad_enabled():
        output = checkpoint(
            block,
            *inputs,
            use_reentrant=False,
            preserve_rng_state=False,  # no block draws random numbers
            context_fn=lambda: (nullcontext(), _second_run(block)),
        )
    else:
        output = block(*inputs)
    return output


@contextmanager
def _second_run(block: nn.Module) -> Iterator[None]:
    batch_norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    spectral_norms = [m for m in block.modules() if isinstance(m, SpectralNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in batch_norms]
    for norm in batch_norms:
        norm.momentum = 0.0  # leaves the running mean and variance as they are
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked = norm.num_batches_tracked.clone()
    for spectral in spectral_norms:
        spectral.iterates = False
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(batch_norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
        for spectral in spectral_norms:
            spectral.iterates = True
