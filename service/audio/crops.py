"""Cuts recordings into the 1.024 s crops that the models take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from service.audio.vad import Region


@dataclass(frozen=True, eq=False)
class Crops:
    """The speech of a recording, ready for a voice encoder."""

    waveforms: Float32  # (n, 16384)
    spans: list[tuple[float, float]]  # (start_s, end_s) of each crop, in the recording's own time
    speech_s: float  # all regions together; overlap of crops counts once


def cut_crops(samples: Float32, regions: Sequence[Region]) -> Crops:
    """Joins the speech regions of `samples` (n,) and cuts the result into crops.

    The last crop ends where the speech ends, and may overlap the crop before it. Speech shorter than a crop
    is repeated to fill it. Silence is never added. If a crop crosses a pause, its span includes the pause.
    Without regions there are no crops.
    """
    bounds = [
        (round(r.start_s * SAMPLE_RATE_HZ), min(round(r.end_s * SAMPLE_RATE_HZ), len(samples)))
        for r in regions
    ]
    bounds = [(start, end) for start, end in bounds if end > start]
    if not bounds:
        return Crops(np.empty((0, CROP_SAMPLES), np.float32), [], 0.0)
    speech = np.concatenate([samples[start:end] for start, end in bounds])
    starts_in, ends_in = np.array(bounds).T  # of each region, in the recording
    ends = np.cumsum(ends_in - starts_in)  # of each region, in the joined speech
    total = len(speech)

    if total < CROP_SAMPLES:
        waveforms = np.resize(speech, (1, CROP_SAMPLES))  # numpy's resize repeats
        first, last = np.array([0]), np.array([total])
    else:
        first = np.arange(0, total - CROP_SAMPLES + 1, CROP_SAMPLES)
        if total % CROP_SAMPLES:
            first = np.append(first, total - CROP_SAMPLES)
        last = first + CROP_SAMPLES
        waveforms = np.stack([speech[start : start + CROP_SAMPLES] for start in first])

    first_region = np.searchsorted(ends, first, side="right")
    last_region = np.searchsorted(ends, last, side="left")
    span_starts = ends_in[first_region] - (ends[first_region] - first)
    span_ends = ends_in[last_region] - (ends[last_region] - last)
    spans = [
        (float(start) / SAMPLE_RATE_HZ, float(end) / SAMPLE_RATE_HZ)
        for start, end in zip(span_starts, span_ends, strict=True)
    ]
    return Crops(waveforms, spans, total / SAMPLE_RATE_HZ)


def loudest_second(samples: Float32) -> Float32:
    """The loudest second at 16 kHz, (n,) → (16000,). A shorter recording gets silence at its end."""
    if len(samples) <= SAMPLE_RATE_HZ:
        return np.pad(samples, (0, SAMPLE_RATE_HZ - len(samples)))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])  # (n + 1,)
    start = int(np.argmax(energy[SAMPLE_RATE_HZ:] - energy[:-SAMPLE_RATE_HZ]))
    return samples[start : start + SAMPLE_RATE_HZ]
