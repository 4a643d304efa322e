"""Crops → frames of either encoder of a trained Autodecompose, or of its mel features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bundle.arrays import Float32
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.scoring.embedding import CropEncoder

FEATURES = ("E_c", "E_s", "mel")  # the last is no network
CROPS_AT_ONCE = 128


def frame_encoder(objective: Objective, which: str) -> CropEncoder:
    """`which` of `FEATURES` → a function from crops (n, 16384) to frames (n, 64, width)."""
    return _encoder(objective, which, lambda frames: frames)


def pooled_encoder(objective: Objective, which: str) -> CropEncoder:
    """The same with the frames' mean and deviation over time: (n, 2 · width)."""
    return _encoder(objective, which, pool)


def _encoder(objective: Objective, which: str, then: Callable[[Tensor], Tensor]) -> CropEncoder:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    objective = objective.eval().to(device)
    network = {"E_s": objective.model.E_s, "E_c": objective.model.E_c}.get(which)
    if network is None and which != "mel":
        raise ValueError(f"Features are {', '.join(FEATURES)}, not {which!r}.")

    @torch.inference_mode()
    def encode(crops: Float32) -> Float32:
        parts = []
        for batch in torch.split(torch.from_numpy(crops), CROPS_AT_ONCE):
            mel = objective.frontend(batch.to(device))
            parts.append(then(mel if network is None else network(mel)).cpu().numpy())
        return np.concatenate(parts)

    return encode
