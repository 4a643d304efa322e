"""A stream in steps of half a second, and the windows of speech in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from service.audio import Region, SpeechDetector
from service.audio.level import LevelStream
from service.diarization.windows import Windows, placed_windows
from service.listening.line import StreamLine

STEP_SAMPLES = CROP_SAMPLES // 2
STEP_S = STEP_SAMPLES / SAMPLE_RATE_HZ  # 0.512
_RECENT_SAMPLES = CROP_SAMPLES + 2 * STEP_SAMPLES  # a region closes up to 0.3 s late, and a window is 1.024 s
_LEAST_SAMPLES = STEP_SAMPLES  # of a first window whose region goes on
_LEAST_NEW_SAMPLES = SAMPLE_RATE_HZ // 10  # of speech that another window is worth
_LEAST_SPEECH_S = 0.1  # of a step in which somebody speaks


@dataclass(frozen=True, eq=False)
class Window:
    """Speech for the encoder: at most 1.024 s of one region, the last of it new."""

    start: int  # first sample
    end: int  # after the last
    new_s: float  # of speech that no earlier window of the region holds
    first: bool  # whether a region of speech begins with it

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.end / SAMPLE_RATE_HZ


@dataclass(frozen=True, eq=False)
class Step:
    """Half a second of a stream."""

    end_s: float
    speech: bool
    windows: tuple[Window, ...]
    waveforms: Float32  # (windows, 16384); a region shorter than a window is repeated


class SpeechSteps:
    """Brings a stream to one level, finds the speech in it and cuts that into windows, step by step."""

    def __init__(self, detector: SpeechDetector) -> None:
        self.level = LevelStream()
        self.line = StreamLine()
        self._speech = detector.stream()
        self._recent = np.zeros(_RECENT_SAMPLES, np.float32)
        self._end = 0  # samples taken
        self._cuts: list[list[tuple[int, int]]] = []  # of each region, its windows

    @property
    def speech_s(self) -> float:
        """Net speech so far."""
        regions = [*self._speech.regions.closed, self._speech.regions.open]
        return sum(min(r.end_s, self._end / SAMPLE_RATE_HZ) - r.start_s for r in regions if r)

    def take(self, samples: Float32, *, last: bool = False) -> Step:
        """The next step (8192,). With the `last` one, speech ends."""
        samples = self.level.levelled(samples)
        self._recent = np.concatenate([self._recent[len(samples) :], samples])
        self._end += len(samples)
        regions = self._speech.regions
        before = len(regions.closed)
        self._speech.take(samples)
        if last:
            regions.finish()
        windows = []
        for number in range(before, len(regions.closed)):
            windows += self._cut(regions.closed[number], number, closed=True)
        if regions.open:
            windows += self._cut(regions.open, len(regions.closed), closed=False)
        latest = [*regions.closed[-2:], *([regions.open] if regions.open else [])]
        return Step(
            self._end / SAMPLE_RATE_HZ,
            self._overlap_s(latest) >= _LEAST_SPEECH_S,
            tuple(windows),
            self._waveforms(windows),
        )

    def windows(self) -> Windows:
        """All windows so far. Speech has to have ended."""
        regions = [
            Region(region.start_s, min(region.end_s, self._end / SAMPLE_RATE_HZ))
            for region in self._speech.regions.closed
        ]
        cuts: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = [
            (np.array([start for start, _ in cut], np.intp), np.array([end for _, end in cut], np.intp))
            for cut in self._cuts
        ]
        return placed_windows(regions, cuts)

    def _cut(self, region: Region, number: int, *, closed: bool) -> list[Window]:
        """The window that ends where the speech of a region ends so far, if it holds enough that is new."""
        if number == len(self._cuts):
            self._cuts.append([])
        cut = self._cuts[number]
        first = round(region.start_s * SAMPLE_RATE_HZ)
        end = min(round(region.end_s * SAMPLE_RATE_HZ), self._end)
        known = cut[-1][1] if cut else first
        least = _LEAST_NEW_SAMPLES if cut else 1 if closed else _LEAST_SAMPLES
        if end - known < least:
            return []
        start = max(first, end - CROP_SAMPLES)
        cut.append((start, end))
        offset = self._end - len(self._recent)
        self.line.take(self._recent[max(known - offset, 0) : end - offset])
        return [Window(start, end, (end - known) / SAMPLE_RATE_HZ, first=len(cut) == 1)]

    def _waveforms(self, windows: list[Window]) -> Float32:
        offset = self._end - len(self._recent)
        return (
            np.stack(
                [np.resize(self._recent[w.start - offset : w.end - offset], CROP_SAMPLES) for w in windows]
            )
            if windows
            else np.empty((0, CROP_SAMPLES), np.float32)
        )

    def _overlap_s(self, regions: list[Region]) -> float:
        """Seconds of regions within the last step."""
        end_s = self._end / SAMPLE_RATE_HZ
        return sum(max(0.0, min(r.end_s, end_s) - max(r.start_s, end_s - STEP_S)) for r in regions)
