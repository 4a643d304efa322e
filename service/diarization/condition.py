"""What all windows of a recording share, whoever speaks: the room, the noise, the line."""

from __future__ import annotations

import numpy as np

from bundle.arrays import Float32, Float64
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.diarization.windows import Windows

_WINDOW_S = CROP_SAMPLES / SAMPLE_RATE_HZ
_NEIGHBOUR_S = (1.0, 1.4)  # between the middles of two windows that do not overlap, in running speech
_AT_MOST = 0.95  # of the mean that is taken out
_LONG_S = 8.0  # of a probe whose score the calibration tells well


def without_condition(centred: Float32, windows: Windows, scorer: Scorer) -> Float32:
    """Windows (n, dim) with the estimated share of the recording in their mean taken out; not of unit length.

    Scores within one recording are higher than the calibration expects, since its noise and its line are in
    every window. Two neighbours in running speech are nearly always one voice. Under the calibration their
    cosine would be ρ. It is A = b + (1 − b) ρ where a share b of each vector is the recording's own.
    """
    mean = np.average(centred, axis=0, weights=windows.seconds)
    energy = float(mean @ mean)
    likeness = _neighbours(centred, windows)
    if not len(likeness) or energy <= 0:
        return centred
    expected = _likeness_of_windows(scorer)
    share = max(0.0, (float(likeness.mean()) - expected) / (1 - expected))
    return np.asarray(centred - min(_AT_MOST, share / energy) * mean, np.float32)


def _likeness_of_windows(scorer: Scorer) -> float:
    """ρ: the cosine of two windows of one voice, from the calibration of long probes.

    Scores of two voices lie around 0, so those of one voice lie around twice the score of equal odds. With
    noise that falls as 1/s, the cosine of two windows is 1/(1 + n), where n is the noise of a second.
    """
    calibration = scorer.calibration(_LONG_S)
    cosine = float(np.clip(-2 * calibration.intercept / calibration.slope, 0.05, 0.95))
    noise = (1 / cosine - 1) * (_LONG_S + 1)  # both sides: 8 s of the probe, some 10 s of the enrolment
    return 1 / (1 + noise)


def _neighbours(centred: Float32, windows: Windows) -> Float64:
    """Cosines of windows that follow each other in one region of speech without overlap."""
    directions = unit(centred)
    middles = windows.spans.mean(axis=1)
    cosines = [np.empty(0)]
    for lag in range(1, 1 + int(_NEIGHBOUR_S[1] / _WINDOW_S * 5)):
        apart = middles[lag:] - middles[:-lag]
        inside = (windows.regions[lag:] == windows.regions[:-lag]) & (apart > _NEIGHBOUR_S[0])
        inside &= apart < _NEIGHBOUR_S[1]
        cosines.append((directions[lag:] * directions[:-lag]).sum(axis=1)[inside])
    return np.concatenate(cosines)
