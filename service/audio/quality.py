"""How clean a recording is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.vad import Region

_FRAME_SAMPLES = 320  # 20 ms
#: With less than this outside the speech, its quietest frames stand in for the background.
_MIN_BACKGROUND_S = 0.3
_QUIET_PERCENTILE = 10.0
_LOUD_PERCENTILE = 75.0
#: Estimates beyond these mean nothing. Digital silence between words gives the upper end.
_RANGE_DB = (-10.0, 60.0)


def estimate_snr_db(samples: Float32, regions: Sequence[Region]) -> float | None:
    """Signal-to-noise ratio: (power of the speech − power of the background) / power of the background.

    The background is all that lies outside `regions`: the mean of its 20 ms frames, or their 75th percentile
    where that is less. Then a breath, a click or a word's end that was not detected does not count as noise.
    Chosen on train speakers: of 280 recordings of 12 s, 0.7 % read below 10 dB, and 5 % with the mean alone.
    With ambience at 5 dB, 94 and 95 % of 154 do.

    If there are less than 0.3 s outside, the 10th percentile inside stands in for it: the pauses between
    words. Below 5 dB this reads too high, above 20 dB too low.

    The noise is assumed to stay the same during speech. The median over recordings is near the truth; one
    recording in bursty noise can be 10 dB off.

    Args:
        samples: (n,), 16 kHz mono.
        regions: where speech was detected in them.

    Returns:
        Decibels in [-10, 60], or None if there is no speech to measure.
    """
    speaking = np.zeros(len(samples), bool)
    for region in regions:
        speaking[round(region.start_s * SAMPLE_RATE_HZ) : round(region.end_s * SAMPLE_RATE_HZ)] = True
    speech = _frame_powers(samples[speaking])
    background = _frame_powers(samples[~speaking])
    if len(speech) == 0:
        return None
    if len(background) * _FRAME_SAMPLES >= _MIN_BACKGROUND_S * SAMPLE_RATE_HZ:
        noise = float(min(background.mean(), np.percentile(background, _LOUD_PERCENTILE)))
    else:
        noise = float(np.percentile(speech, _QUIET_PERCENTILE))
    signal = max(float(speech.mean()) - noise, 0.0)
    lowest, highest = (10 ** (db / 10) for db in _RANGE_DB)
    ratio = signal / max(noise, 1e-12)  # the floor is far below the rounding of 16 bits
    return 10 * float(np.log10(np.clip(ratio, lowest, highest)))


def _frame_powers(samples: Float32) -> Float64:
    frames = len(samples) // _FRAME_SAMPLES
    powers: Float64 = np.mean(
        np.square(samples[: frames * _FRAME_SAMPLES].reshape(frames, _FRAME_SAMPLES), dtype=np.float64),
        axis=1,
    )
    return powers
