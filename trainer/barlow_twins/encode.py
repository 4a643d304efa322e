"""Crops → the outputs of a trained network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bundle.arrays import Float32
from trainer.audio.frontends import LogSpectrogram

BATCH = 128


def encode(network: Callable[[Tensor], Tensor], crops: Float32) -> Float32:
    """(n, 16384) → (n, d), in float32: in bf16 the outputs of an untrained network would hardly vary.

    Args:
        network: spectrograms (batch, 513, 126) → (batch, d) on the CPU, in evaluation mode. `backbone` of a
            `BarlowTwins` gives the representation of later tasks, `latents` what Table 3 measures.
    """
    frontend = LogSpectrogram()
    rows = []
    for start in range(0, len(crops), BATCH):
        with torch.no_grad():
            rows.append(network(frontend(torch.from_numpy(crops[start : start + BATCH]))).numpy())
    return np.concatenate(rows)
