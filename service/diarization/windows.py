"""Overlapping windows of the voice encoder over the speech of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from service.audio import Region

HOP_S = 0.256  # between the starts of two windows, a quarter of a window


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of 1.024 s in the order of time. Together their spans are the speech, without overlap."""

    starts: NDArray[np.intp]  # (windows,) first sample of each
    ends: NDArray[np.intp]  # (windows,) after the last sample; nearer than 1.024 s in a short region
    spans: Float64  # (windows, 2) start_s, end_s of the speech that each window stands for
    regions: NDArray[np.intp]  # (windows,) number of the region of speech

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def seconds(self) -> Float64:
        """(windows,) speech that each window stands for."""
        return np.asarray(self.spans[:, 1] - self.spans[:, 0])

    def waveforms(self, samples: Float32, at_once: int) -> Iterator[Float32]:
        """Batches (≤ at_once, 16384) for the encoder. A region shorter than a window is repeated."""
        for first in range(0, len(self), at_once):
            bounds = zip(
                self.starts[first : first + at_once], self.ends[first : first + at_once], strict=True
            )
            yield np.stack([np.resize(samples[start:end], CROP_SAMPLES) for start, end in bounds])


def cut_windows(regions: Sequence[Region], *, hop_s: float = HOP_S) -> Windows:
    """Windows at most `hop_s` apart, from the start of each region to its end.

    A window stands for what lies nearer to its middle than to another's of the same region.
    """
    cuts: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for region in regions:
        first, last = round(region.start_s * SAMPLE_RATE_HZ), round(region.end_s * SAMPLE_RATE_HZ)
        room = max(last - first - CROP_SAMPLES, 0)
        count = 1 + int(np.ceil(room / (hop_s * SAMPLE_RATE_HZ)))
        start = np.linspace(first, first + room, count).astype(np.intp)
        cuts.append((start, np.minimum(start + CROP_SAMPLES, last)))
    return placed_windows(regions, cuts)


def placed_windows(
    regions: Sequence[Region], cuts: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> Windows:
    """Windows of regions: of each region the first samples (windows,) and those after the last (windows,)."""
    spans: list[Float64] = [np.empty((0, 2))]
    for region, (start, end) in zip(regions, cuts, strict=True):
        middles = (start + end) / 2 / SAMPLE_RATE_HZ
        edges = np.concatenate([[region.start_s], (middles[1:] + middles[:-1]) / 2, [region.end_s]])
        spans.append(np.stack([edges[:-1], edges[1:]], axis=1))
    empty = np.empty(0, np.intp)
    return Windows(
        np.concatenate([empty, *(start for start, _ in cuts)]),
        np.concatenate([empty, *(end for _, end in cuts)]),
        np.concatenate(spans),
        np.repeat(np.arange(len(cuts)), [len(start) for start, _ in cuts]).astype(np.intp),
    )
