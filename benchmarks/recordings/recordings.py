"""Labelled recordings in memory, and the same cut to so many seconds of speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import SpeechDetector
from trainer.audio.folders import Clip, read_audio, read_folder
from trainer.scoring.embedding import Condition


@dataclass(frozen=True)
class Recordings:
    """Samples (samples,) at 16 kHz, and for each the clip it is from, or begins in."""

    samples: Sequence[Float32]
    clips: Sequence[Clip]
    joined: int = 0  # recordings that are made of several clips

    @classmethod
    def read(cls, folder: Path, split: str | None, *, step: int = 1) -> Recordings:
        """Every `step`-th recording of a corpus.

        Raises:
            DataError: the folder or a file cannot be read.
        """
        return cls.of(read_folder(folder, split)[::step])

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> Recordings:
        """Raises DataError where a file cannot be read."""
        return cls([read_audio(clip.path) for clip in clips], clips)

    @property
    def speakers(self) -> list[str]:
        """With the corpus: two may give one name to different speakers."""
        return [f"{clip.corpus}/{clip.speaker}" for clip in self.clips]

    def at(self, indices: Iterable[int]) -> Recordings:
        chosen = list(indices)
        return Recordings([self.samples[i] for i in chosen], [self.clips[i] for i in chosen])

    def every(self, step: int) -> Recordings:
        return self.at(range(0, len(self.clips), step))

    def under(self, condition: Condition) -> Recordings:
        return Recordings([condition(samples, i) for i, samples in enumerate(self.samples)], self.clips)

    def speech_only(self, detector: SpeechDetector) -> Recordings:
        """Silence taken out as the service does; a recording without speech is left out."""
        spoken = [
            (speech, clip)
            for samples, clip in zip(self.samples, self.clips, strict=True)
            if (speech := _speech(samples, detector)).size
        ]
        return Recordings([speech for speech, _ in spoken], [clip for _, clip in spoken])

    def of_length(self, seconds: float, most: int | None = None) -> Recordings:
        """Cut to `seconds`; a shorter clip is joined with the speaker's next ones, which are then used up.

        Args:
            most: utterances of a speaker, spread evenly over what there is.
        """
        wanted = round(seconds * SAMPLE_RATE_HZ)
        cuts: list[tuple[Float32, Clip, bool]] = []
        for speaker in sorted(set(self.speakers)):
            clips_of_speaker = [i for i, name in enumerate(self.speakers) if name == speaker]
            pieces = list(self._cuts(clips_of_speaker, wanted))
            count = len(pieces) if most is None else min(most, len(pieces))
            cuts += [pieces[k] for k in np.linspace(0, len(pieces) - 1, count).round().astype(int)]
        return Recordings([c[0] for c in cuts], [c[1] for c in cuts], sum(c[2] for c in cuts))

    def _cuts(self, clips_of_speaker: Sequence[int], wanted: int) -> Iterator[tuple[Float32, Clip, bool]]:
        """One speaker's pieces of `wanted` samples, the clip each begins in, and whether it is of several."""
        held: list[int] = []
        for i in clips_of_speaker:
            held.append(i)
            joined = np.concatenate([self.samples[k] for k in held])
            if joined.size >= wanted:
                yield joined[:wanted], self.clips[held[0]], len(held) > 1
                held = []


def _speech(samples: Float32, detector: SpeechDetector) -> Float32:
    pieces = [region.of(samples) for region in detector.find(samples)]
    return np.concatenate(pieces) if pieces else samples[:0]
