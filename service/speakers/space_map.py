"""Voices whose audio is gone, carried from one model's embedding space to the next one's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.space_map import apply_map, inverse_map, read_map
from bundle.voice import MapFromParent, VoiceBundle
from service.errors import Conflict
from service.speakers.records import Embedding


@dataclass(frozen=True, eq=False)
class SpaceMap:
    """The map that was fitted when a model was fine-tuned, or its inverse."""

    source: str  # "<name>/<version>" whose embeddings it takes
    table: Float32  # (dim + 1, dim)
    error: float  # mean 1 − cosine of mapped and real embeddings, on audio the map was not fitted on

    @classmethod
    def of(cls, bundle: VoiceBundle) -> Self | None:
        """The map that leads to `bundle`, or None when it has none. Raises Conflict when it is damaged."""
        described = bundle.map_from_parent
        if described is None:
            return None
        return cls(described.parent, _table(bundle, described), described.error)

    @classmethod
    def back(cls, child: VoiceBundle, parent: str) -> Self | None:
        """The map from `child` back to `parent`; None where the child was not made from it.

        None as well where nobody measured the way back. Raises Conflict when the map is damaged.
        """
        described = child.map_from_parent
        if described is None or described.parent != parent or described.inverse_error is None:
            return None
        return cls(child.id, inverse_map(_table(child, described)), described.inverse_error)

    def __call__(self, embedding: Embedding) -> Embedding:
        """An embedding under the source → under the model the map leads to.

        A voice that came through a map before carries both errors: such small ones add up.
        """
        return replace(
            embedding,
            mean=apply_map(self.table, embedding.mean),
            map_error=self.error + (embedding.map_error or 0.0),
        )


def _table(bundle: VoiceBundle, described: MapFromParent) -> Float32:
    try:
        return read_map(bundle, described)
    except BundleError as error:
        raise Conflict(
            f"The map from {described.parent} to {bundle.id} cannot be used: {error}. Restore the bundle."
        ) from error
