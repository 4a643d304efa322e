"""The crops of a job, embedded: overlapping where there is little audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.bandwidth import bandwidth_hz, is_narrow
from bundle.scoring import Scorer
from trainer.audio.cache import ClipCache
from trainer.finetuning.errors import Canceled
from trainer.scoring.embedding import CropEncoder

OVERLAP = 4  # a crop starts every quarter of one
OVERLAPPING_S = 300.0  # of audio: with more, crops do not overlap, and embedding takes no longer
AT_ONCE = 64  # crops in one call of an encoder


@dataclass(frozen=True, eq=False)
class JobCrops:
    """Every crop of a job's recordings."""

    vectors: tuple[Float32, ...]  # (crops, dim) for each encoder
    recording: NDArray[np.intp]  # (crops,)
    stretch: NDArray[np.intp]  # (crops,) crops of one stretch count as one voice
    apart: NDArray[np.bool_]  # (crops,) these share no sample
    overlap: int  # crops that start within the length of one


def embed_crops(
    cache: ClipCache,
    encoders: Sequence[CropEncoder],
    scorer: Scorer,
    same_voice_seconds: float,
    canceled: Callable[[], bool] = lambda: False,
) -> JobCrops:
    """Shows every crop to each encoder; a recording shorter than a crop is repeated to fill one.

    Recordings from narrow lines are moved to where wide ones lie, as the service does with what it hears.

    Args:
        scorer: of the parent, which knows what a narrow line does.
        same_voice_seconds: the length of a stretch; 0: a recording is one.

    Raises:
        Canceled: `canceled()` turned true between two batches.
    """
    overlap = OVERLAP if cache.samples.size <= OVERLAPPING_S * SAMPLE_RATE_HZ else 1
    hop = CROP_SAMPLES // overlap
    starts = [
        (row, start)
        for row, length in enumerate(cache.lengths)
        for start in range(0, max(int(length) - CROP_SAMPLES, 0) + 1, hop)
    ]
    rows, samples = (np.asarray(column, np.intp) for column in zip(*starts, strict=True))
    stretch_samples = same_voice_seconds * SAMPLE_RATE_HZ
    number = (samples // stretch_samples).astype(np.intp) if stretch_samples else np.zeros_like(samples)
    stretches = np.unique(np.stack([rows, number]), axis=1, return_inverse=True)[1].ravel()

    def batches() -> Iterator[Float32]:
        for i in range(0, len(starts), AT_ONCE):
            if canceled():
                raise Canceled("Canceled while the recordings were embedded.")
            yield np.stack([cache.crop(row, at) for row, at in starts[i : i + AT_ONCE]])

    parts = [[encode(batch) for encode in encoders] for batch in batches()]
    narrow = np.array([is_narrow(bandwidth_hz([cache.clip(row)])) for row in range(len(cache))])[rows]
    return JobCrops(
        tuple(
            np.where(narrow[:, None], scorer.without_line(crops), crops)
            for crops in map(np.concatenate, zip(*parts, strict=True))
        ),
        rows,
        stretches,
        samples % CROP_SAMPLES == 0,
        overlap,
    )
