"""Vectors of unit length, and the pooling of frames and of crops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32


def unit(vectors: NDArray[np.floating[Any]]) -> Float32:
    """Rows (..., dim) scaled to unit length; a row of no length stays as it is."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)


def pool_utterance(crops: Float32) -> Float32:
    """Unit crop embeddings (crops, dim) → the unit embedding (dim,) of their utterance.

    Source: docs/architecture.md, "From crops to a score", step 1.
    """
    return unit(crops.mean(axis=0, dtype=np.float64))


def mean_and_deviation(frames: Float32) -> Float32:
    """Frames (crops, time, dim) → their mean and standard deviation over time, (crops, 2 · dim)."""
    return np.concatenate([frames.mean(axis=1), frames.std(axis=1)], axis=1)
