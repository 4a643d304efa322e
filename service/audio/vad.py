"""Finds where in a recording somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio.silero import WINDOW_SAMPLES, SileroNetwork, SileroStream

_WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Region:
    """A stretch of speech, in the recording's own time."""

    start_s: float
    end_s: float

    def of(self, samples: Float32) -> Float32:
        """What of samples (n,) of 16 kHz lies in it."""
        return samples[round(self.start_s * SAMPLE_RATE_HZ) : round(self.end_s * SAMPLE_RATE_HZ)]


@dataclass(frozen=True)
class VadSettings:
    """How speech probabilities become regions. Durations are rounded to the network's 32 ms windows."""

    enter: float = 0.5  # probability at which speech begins
    leave: float = 0.35  # probability below which it ends; lower than `enter`, against flicker
    max_gap_s: float = 0.2  # a pause up to this long is part of the speech around it
    min_speech_s: float = 0.2  # anything shorter is a click or a cough
    pad_s: float = 0.064  # added on each side, where speech is quiet; at most half of max_gap_s


class SpeechDetector:
    """Finds speech with Silero VAD, in about 1.5 ms for a second of audio. Threads may share an instance."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        self._settings = settings or VadSettings()
        self._network = SileroNetwork()

    def find(self, samples: Float32) -> list[Region]:
        """The regions of speech in `samples` (n,), 16 kHz mono: in order, without overlap; maybe none."""
        return regions_from_probabilities(
            self._network.probabilities(samples), len(samples) / SAMPLE_RATE_HZ, self._settings
        )

    def stream(self) -> SpeechStream:
        """Finds speech in a recording that comes in parts."""
        return SpeechStream(SileroStream(self._network), self._settings)


class SpeechStream:
    """The regions of speech of a recording that comes in parts, of 16 kHz mono."""

    def __init__(self, network: SileroStream, settings: VadSettings) -> None:
        self._network = network
        self.regions = SpeechRegions(settings)

    def take(self, samples: Float32) -> None:
        """Takes the next samples (n · 512,)."""
        self.regions.add(self._network.probabilities(samples))


def regions_from_probabilities(
    probabilities: Float32, duration_s: float, settings: VadSettings
) -> list[Region]:
    """Regions from one probability per 32 ms: hysteresis, short pauses closed, blips dropped, padding."""
    regions = SpeechRegions(settings)
    regions.add(probabilities)
    regions.finish()
    return [Region(region.start_s, min(duration_s, region.end_s)) for region in regions.closed]


class SpeechRegions:
    """The regions of speech of a recording whose probabilities come one after the other."""

    def __init__(self, settings: VadSettings) -> None:
        self._settings = settings
        self._windows = 0  # taken so far
        self._speaking = False
        self._run: tuple[int, int] | None = None  # first window of the last region, window after its last
        self.closed: list[Region] = []  # in order; nothing that follows changes them

    @property
    def open(self) -> Region | None:
        """The region that may go on, as far as it is known; None in silence, and before it is long enough."""
        return None if self._run is None else self._region(self._run)

    def add(self, probabilities: Float32) -> None:
        """Takes the next probabilities (n,), one per 32 ms."""
        settings = self._settings
        for probability in probabilities:
            self._speaking = bool(probability >= (settings.leave if self._speaking else settings.enter))
            self._windows += 1
            if self._speaking:
                first = self._windows - 1 if self._run is None else self._run[0]
                self._run = first, self._windows
            elif self._run and (self._windows - self._run[1]) * _WINDOW_S > settings.max_gap_s:
                self.finish()

    def finish(self) -> None:
        """Closes the open region: nothing of it follows."""
        if (region := self.open) is not None:
            self.closed.append(region)
        self._run = None

    def _region(self, run: tuple[int, int]) -> Region | None:
        settings = self._settings
        first, last = run
        if (last - first) * _WINDOW_S < settings.min_speech_s:
            return None
        return Region(max(0.0, first * _WINDOW_S - settings.pad_s), last * _WINDOW_S + settings.pad_s)
