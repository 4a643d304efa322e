"""Whether a stream comes over a narrow line, told by the speech that it held so far."""

from __future__ import annotations

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from bundle.bandwidth import Line, bandwidth_hz, line_of

_LEAST_S = 2.0  # of speech, before which nothing is said
_ENOUGH_S = 8.0  # after which nothing changes any more
_AGAIN_S = 1.0  # of speech that came since it was measured


class StreamLine:
    """Measures the bandwidth of a stream, as `service.audio.report` does that of a recording."""

    def __init__(self) -> None:
        self.kind = Line.WIDE
        self._speech: list[Float32] = []
        self._seconds = 0.0
        self._measured_s = _LEAST_S - _AGAIN_S

    def take(self, speech: Float32) -> None:
        """The next samples of speech (n,), brought to one level."""
        if self._measured_s >= _ENOUGH_S:
            return
        self._speech.append(speech)
        self._seconds += len(speech) / SAMPLE_RATE_HZ
        if self._seconds < self._measured_s + _AGAIN_S:
            return
        stretches = [np.concatenate(self._speech)]
        self.kind = line_of(stretches, bandwidth_hz(stretches))
        self._measured_s = self._seconds
        if self._seconds >= _ENOUGH_S:
            self._speech = []
