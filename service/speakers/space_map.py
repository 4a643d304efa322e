"""Voices whose audio is gone, carried from one model's embedding space to the next one's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.space_map import apply_map, read_map
from bundle.voice import VoiceBundle
from service.errors import Conflict
from service.speakers.records import Embedding


@dataclass(frozen=True, eq=False)
class SpaceMap:
    """The map that was fitted when the model was fine-tuned."""

    parent: str  # "<name>/<version>" whose embeddings it takes
    table: Float32  # (dim + 1, dim)
    error: float  # mean 1 − cosine of mapped and real embeddings, on audio the map was not fitted on

    @classmethod
    def of(cls, bundle: VoiceBundle) -> Self | None:
        """The map that leads to `bundle`, or None when it has none. Raises Conflict when it is damaged."""
        described = bundle.map_from_parent
        if described is None:
            return None
        try:
            return cls(described.parent, read_map(bundle, described), described.error)
        except BundleError as error:
            raise Conflict(
                f"The map from {described.parent} to {bundle.id} cannot be used: {error}. Restore the bundle."
            ) from error

    def __call__(self, embedding: Embedding) -> Embedding:
        """An embedding under the parent → under the model the map leads to.

        A voice that came through a map before carries both errors: such small ones add up.
        """
        return replace(
            embedding,
            mean=apply_map(self.table, embedding.mean),
            map_error=self.error + (embedding.map_error or 0.0),
        )
