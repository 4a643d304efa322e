"""How clean a recording is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.vad import Region

_FRAME_SAMPLES = 320  # 20 ms
_MIN_BACKGROUND_S = (
    0.3  # with less outside the speech, the quietest frames within it stand in for the background
)
_QUIET_PERCENTILE = 10.0
_RANGE_DB = (
    -10.0,
    60.0,
)  # beyond it the estimate means nothing; digital silence between words gives the upper end


def estimate_snr_db(samples: Float32, regions: Sequence[Region]) -> float | None:
    """Signal-to-noise ratio: mean power within the speech less the background's, over the background's.

    Background is what lies outside `regions`; where that is under 0.3 s, the 10th percentile of the 20 ms
    frames inside (pauses between words), a rough stand-in: too high below 5 dB and too low above 20 dB.
    Assumes that the noise goes on unchanged through the speech: a bang or a breath between sentences counts.
    In the median it is near the truth; single recordings in bursty noise can be 10 dB off.

    Args: `samples` (n,) 16 kHz mono; `regions` as the detector found them there.
    Returns: decibels in [-10, 60], or None where there is no speech to measure.
    """
    speaking = np.zeros(len(samples), bool)
    for region in regions:
        speaking[round(region.start_s * SAMPLE_RATE_HZ) : round(region.end_s * SAMPLE_RATE_HZ)] = True
    speech = _frame_powers(samples[speaking])
    background = _frame_powers(samples[~speaking])
    if len(speech) == 0:
        return None
    if len(background) * _FRAME_SAMPLES >= _MIN_BACKGROUND_S * SAMPLE_RATE_HZ:
        noise = float(background.mean())
    else:
        noise = float(np.percentile(speech, _QUIET_PERCENTILE))
    signal = max(float(speech.mean()) - noise, 0.0)
    lowest, highest = (10 ** (db / 10) for db in _RANGE_DB)
    ratio = signal / max(noise, 1e-12)  # far below the rounding of 16 bits
    return 10 * float(np.log10(np.clip(ratio, lowest, highest)))


def _frame_powers(samples: Float32) -> Float64:
    frames = len(samples) // _FRAME_SAMPLES
    powers: Float64 = np.mean(
        np.square(samples[: frames * _FRAME_SAMPLES].reshape(frames, _FRAME_SAMPLES), dtype=np.float64),
        axis=1,
    )
    return powers
