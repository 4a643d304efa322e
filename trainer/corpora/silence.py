"""Where a recording is silent: at its edges, or throughout."""

from __future__ import annotations

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ

_FRAME = SAMPLE_RATE_HZ // 100
_RANGE_DB = 35.0  # a frame this far below the loudest is silent: most rooms are quieter than that
_MARGIN = round(0.15 * SAMPLE_RATE_HZ)  # kept on both sides, since words begin and end softly
_SILENT_PEAK = 3e-3  # of full scale


def is_silent(samples: Float32) -> bool:
    """Whether no sample reaches 0.3 % of full scale."""
    return bool(np.abs(samples).max(initial=0) < _SILENT_PEAK)


def trim_silence(samples: Float32) -> Float32:
    """A recording without its silent edges: (samples,) → (fewer samples,). Pauses within it stay."""
    frames = samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return samples
    level_db = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    loud = np.flatnonzero(level_db > level_db.max() - _RANGE_DB)
    start, end = loud[0] * _FRAME - _MARGIN, (loud[-1] + 1) * _FRAME + _MARGIN
    return samples[max(start, 0) : end]
