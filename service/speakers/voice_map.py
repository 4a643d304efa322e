"""A gallery as a picture: every voice a point, and which voices are too near to tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from service.speakers.index import VoiceIndex
from service.tenants import shown

MOST_PAIRS = 100


@dataclass(frozen=True)
class MapPoint:
    """A voice, as far right and up as its voiceprint lies along the two axes."""

    speaker_id: str  # as the tenant knows it
    name: str | None
    x: float
    y: float


@dataclass(frozen=True)
class NearPair:
    """Two enrolled voices of which one would pass for the other."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class VoiceMap:
    """The voices of a tenant on two axes, and the pairs of them that score above `threshold`."""

    points: tuple[MapPoint, ...]
    pairs: tuple[NearPair, ...]  # nearest first, at most MOST_PAIRS
    explained: float  # share of the variance that the two axes have, 0 to 1
    threshold: float
    voices: int  # on the map or not


def voice_map(index: VoiceIndex, tenant: str, *, limit: int, target_fpr: float) -> VoiceMap:
    """Puts the first `limit` voices of a tenant on the two axes along which they differ most (PCA). Blocks.

    A pair is near if its score reaches the threshold of a single comparison at `target_fpr`.
    """
    ids, names, matrix = index.voices(tenant, limit)  # (voices, dim)
    searched, _ = index.counts(tenant)
    places, explained = _principal(matrix)
    threshold = index.scorer.threshold(target_fpr, seconds=None)
    scores = np.triu(matrix @ matrix.T, k=1)  # each pair once
    first, second = np.nonzero(scores >= threshold)
    nearest = np.argsort(-scores[first, second])[:MOST_PAIRS]
    return VoiceMap(
        points=tuple(
            MapPoint(shown(speaker_id), name, round(float(x), 4), round(float(y), 4))
            for speaker_id, name, (x, y) in zip(ids, names, places, strict=True)
        ),
        pairs=tuple(
            NearPair(shown(ids[first[at]]), shown(ids[second[at]]), float(scores[first[at], second[at]]))
            for at in nearest
        ),
        explained=round(explained, 4),
        threshold=threshold,
        voices=searched,
    )


def _principal(matrix: Float32) -> tuple[Float32, float]:
    """Rows (n, dim) on their first two principal axes (n, 2), and the share of variance these have."""
    places = np.zeros((len(matrix), 2), np.float32)
    if len(matrix) < 2:
        return places, 1.0
    left, singular, axes = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    width = min(2, len(singular))
    # An axis has no direction of its own: its largest part is made positive, so that the map stays as it was.
    largest = axes[:width][np.arange(width), np.abs(axes[:width]).argmax(axis=1)]
    places[:, :width] = left[:, :width] * singular[:width] * np.sign(largest)
    total = float((singular**2).sum())
    return places, float((singular[:2] ** 2).sum()) / total if total else 1.0
