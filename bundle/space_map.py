"""The affine map from a parent's voice embeddings to those of the model fine-tuned from it."""

from __future__ import annotations

import io

import numpy as np

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.voice import MapFromParent, VoiceBundle


def apply_map(table: Float32, vectors: Float32) -> Float32:
    """`x @ table[:-1] + table[-1]`: table (dim + 1, dim), vectors (..., dim). Not of unit length."""
    mapped: Float32 = vectors @ table[:-1] + table[-1]
    return mapped


def read_map(bundle: VoiceBundle, described: MapFromParent) -> Float32:
    """The table (dim + 1, dim) of the map that leads to `bundle`.

    Raises:
        BundleError: the file is damaged.
    """
    data = bundle.open(described.file)
    try:
        table = np.load(io.BytesIO(data), allow_pickle=False)
        if table.shape != (bundle.embedding_dim + 1, bundle.embedding_dim):
            raise ValueError(f"its shape is {table.shape}")
    except (ValueError, EOFError) as error:
        raise BundleError(f"{described.file} of {bundle.id} is no map: {error}") from error
    return np.asarray(table, np.float32)
