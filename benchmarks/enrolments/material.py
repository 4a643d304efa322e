"""Who speaks, and files of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import Clip, read_audio, read_folder
from trainer.training.material import set_aside

CORPORA = ("librispeech", "speechocean762")
MOST_S = 64.0  # of one person
PEOPLE = 20  # of a corpus, at most


@dataclass(frozen=True, eq=False)
class Person:
    """All that is used of one speaker."""

    samples: Float32  # (n,) 16 kHz: recordings one after the other

    def parts(self, seconds: float, most: int = 1) -> list[Float32]:
        """The first so many parts of `seconds`, one behind the other; fewer where there is less."""
        length = round(seconds * SAMPLE_RATE_HZ)
        count = min(most, len(self.samples) // length)
        return [self.samples[i * length : (i + 1) * length] for i in range(count)]


def read_people(corpus: Path, split: str, aside: float) -> list[Person]:
    """Test speakers, or the share of the train speakers that a training set aside.

    Raises:
        DataError: the corpus cannot be read.
    """
    clips: dict[str, list[Clip]] = {}
    for clip in read_folder(corpus, split):
        if split == "test" or set_aside(clip, aside):
            clips.setdefault(clip.speaker, []).append(clip)
    return [Person(_joined(of_speaker)) for _, of_speaker in sorted(clips.items())][:PEOPLE]


def _joined(clips: list[Clip]) -> Float32:
    most = round(MOST_S * SAMPLE_RATE_HZ)
    parts: list[Float32] = []
    for clip in clips:
        if sum(map(len, parts)) >= most:
            break
        parts.append(read_audio(clip.path))
    return np.concatenate(parts)[:most]
