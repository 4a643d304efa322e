"""SynTone: 4 timbres × 20 amplitudes × 400 frequencies of one second each (Brima et al., section 2).

Aliasing. The waveforms are sampled from their formulas and not band-limited; 8000 Hz is the Nyquist frequency
of 16 kHz audio. So harmonics of triangle, square and sawtooth above 8 kHz fold back to lower frequencies; the
third does so from 2.7 kHz on. Near 8 kHz the timbres grow alike: at 8000 Hz all four alternate between two
values. A sine that starts at zero would vanish there, since only its zero crossings would be sampled. Every
clip therefore starts a quarter of a period in, at the crest of the sine.

The grid is the paper's. An amplitude of 0 (one clip in 20) is silence: no model can know its timbre and
frequency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float32, Float64

SAMPLE_RATE_HZ = 16_000
CLIP_SAMPLES = 16_000  # one second
START = 0.25  # of a period
LOW_HZ, HIGH_HZ = 440.0, 8000.0
TIMBRES = ("sine", "triangle", "square", "sawtooth")
FACTORS = ("timbre", "amplitude", "frequency")
HELD_OUT = 10  # one clip in so many is never trained on


@dataclass(frozen=True)
class SynTone:
    """The grid of clips. Their numbers count frequencies fastest, then amplitudes, then timbres.

    Fewer levels span the same ranges: for tests and first tries.
    """

    amplitudes: int = 20  # levels, from 0 to 1
    frequencies: int = 400  # levels, from 440 to 8000 Hz

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many levels each factor has."""
        return len(TIMBRES), self.amplitudes, self.frequencies

    @property
    def levels(self) -> NDArray[np.int64]:
        """(clips, 3): the level of each factor, in the order of `FACTORS`, counted from 0."""
        return np.stack(np.unravel_index(np.arange(len(self)), self.shape), axis=1)

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """(clips,): the tenth that no training hears, the same always.

        At most one timbre of an amplitude and frequency is held out. So every clip has others in training
        that differ from it in timbre alone.
        """
        rng = np.random.default_rng(0)
        sounds = self.amplitudes * self.frequencies
        chosen = rng.permutation(sounds)[: round(len(self) / HELD_OUT)]
        mask = np.zeros((len(TIMBRES), sounds), dtype=bool)
        mask[rng.integers(len(TIMBRES), size=len(chosen)), chosen] = True
        return mask.ravel()

    @property
    def factors(self) -> Float64:
        """(clips, 3): timbre as a number (`TIMBRES`), amplitude of the peak, frequency in Hz."""
        timbre, amplitude, frequency = self.levels.T
        amplitudes = np.linspace(0, 1, self.amplitudes)
        frequencies_hz = np.linspace(LOW_HZ, HIGH_HZ, self.frequencies)
        return np.stack([timbre, amplitudes[amplitude], frequencies_hz[frequency]], axis=1)

    def index(self, levels: ArrayLike) -> NDArray[np.int64]:
        """(n, 3) levels → (n,) clip numbers, the inverse of `levels`."""
        timbre, amplitude, frequency = np.asarray(levels, dtype=np.int64).T
        index: NDArray[np.int64] = (timbre * self.amplitudes + amplitude) * self.frequencies + frequency
        return index

    def clips(self, indices: ArrayLike) -> Float32:
        """(n,) clip numbers → (n, 16000) samples in [-1, 1]."""
        factors = self.factors[np.asarray(indices)]
        periods = factors[:, 2:] * np.arange(CLIP_SAMPLES) / SAMPLE_RATE_HZ + START
        waves = np.empty(periods.shape)
        for number, timbre in enumerate(TIMBRES):
            rows = factors[:, 0] == number
            waves[rows] = waveform(timbre, periods[rows])
        samples: Float32 = (factors[:, 1:2] * waves).astype(np.float32)
        return samples


def waveform(timbre: str, periods: Float64) -> Float64:
    """A waveform of peak 1 at times in periods. All but the sawtooth rise through 0 at whole periods."""
    phase = periods % 1.0
    if timbre == "sine":
        return np.sin(2 * np.pi * phase)
    if timbre == "triangle":
        return 1 - 4 * np.abs((phase + 0.25) % 1.0 - 0.5)
    if timbre == "square":
        return np.where(phase < 0.5, 1.0, -1.0)
    return 2 * phase - 1
