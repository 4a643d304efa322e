"""Linear maps of voice embeddings: from a parent's to those of the model made from it, and a bundle's own."""

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


def inverse_map(table: Float32) -> Float32:
    """The map that leads back: (dim + 1, dim), as the one that leads forward.

    Raises:
        numpy.linalg.LinAlgError: it has none.
    """
    back = np.linalg.inv(table[:-1].astype(np.float64))
    return np.concatenate([back, -table[-1:] @ back]).astype(np.float32)


def read_map(bundle: VoiceBundle, described: MapFromParent) -> Float32:
    """The table (dim + 1, dim) of the map that leads to `bundle`.

    Raises:
        BundleError: the file is damaged.
    """
    return _read(bundle, described.file, (bundle.embedding_dim + 1, bundle.embedding_dim))


def read_adaptation(bundle: VoiceBundle) -> Float32 | None:
    """The matrix (dim, dim) that the network's embeddings are multiplied with; None: they stay as they are.

    The bundle's embeddings are `unit(x @ matrix)`; `bundle.adaptation` fits it.

    Raises:
        BundleError: the file is damaged.
    """
    if bundle.adaptation is None:
        return None
    return _read(bundle, bundle.adaptation, (bundle.embedding_dim, bundle.embedding_dim))


def _read(bundle: VoiceBundle, file: str, shape: tuple[int, int]) -> Float32:
    data = bundle.open(file)
    try:
        table = np.load(io.BytesIO(data), allow_pickle=False)
        if table.shape != shape:
            raise ValueError(f"its shape is {table.shape}")
    except (ValueError, EOFError) as error:
        raise BundleError(f"{file} of {bundle.id} is no map: {error}") from error
    return np.asarray(table, np.float32)
