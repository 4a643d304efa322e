"""Voices whose audio is gone, carried from one model's embedding space to the next one's."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from service.errors import Conflict
from service.inference import Bundle, BundleError
from service.speakers.records import Embedding, FloatArray


@dataclass(frozen=True, eq=False)
class SpaceMap:
    """The affine map `x @ table[:-1] + table[-1]`, fitted when the model was fine-tuned."""

    parent: str  # "<name>/<version>" whose embeddings it takes
    table: FloatArray  # (dim + 1, dim)
    error: float  # mean 1 − cosine of mapped and real embeddings, on audio the map was not fitted on

    @classmethod
    def of(cls, bundle: Bundle) -> Self | None:
        """The map that leads to `bundle`, or None when it has none. Raises Conflict when it is damaged."""
        described = bundle.map_from_parent
        if described is None:
            return None
        try:
            table = np.load(io.BytesIO(bundle.open(described.file)), allow_pickle=False)
            if table.shape != (bundle.embedding_dim + 1, bundle.embedding_dim):
                raise ValueError(f"its shape is {table.shape}")
        except (BundleError, ValueError, EOFError) as error:
            raise Conflict(
                f"The map from {described.parent} to {bundle.id} cannot be used: {error}. Restore the bundle."
            ) from error
        return cls(described.parent, table.astype(np.float32), described.error)

    def __call__(self, embedding: Embedding) -> Embedding:
        """An embedding under the parent → under the model the map leads to.

        A voice that came through a map before carries both errors: such small ones add up.
        """
        mapped = embedding.mean @ self.table[:-1] + self.table[-1]
        return replace(embedding, mean=mapped, map_error=self.error + (embedding.map_error or 0.0))
