"""The three labelled sets, each as a folder that a GAAE can be trained on, and their spectrograms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, DataError, read_folder
from trainer.corpora.nsynth import PAPER_FAMILIES
from trainer.corpora.speechcommands import DIGITS
from trainer.gaae.data import one_second
from trainer.gaae.spectrogram import NormalisedLogSpectrogram, SpectrogramSettings

ADULT = 18  # years: a child's voice does not tell its gender
SET_ASIDE = 6  # of so many train speakers one
VOICES = {"train": 10, "test": 5}  # of each gender (section V-C1)
QUIET = 0.1  # of a clip's loudness, below which a second of it is taken for a pause
BATCH = 256


@dataclass(frozen=True)
class GuidedTask:
    """What a model is guided by.

    Attributes:
        column: of metadata.tsv.
        r: dynamic range of the spectrogram (section IV-B).
        second: of longer audio (section IV-B): see `trainer.gaae.data.Guidance`.
        corpus: the task whose corpus it is made from; its own if none.
        set_aside: are some train speakers its split `test`, and the corpus's test speakers not in it at all?
    """

    name: str
    column: str
    labels: tuple[str, ...]
    r: float = 10.0
    second: str = "random"
    corpus: str = ""
    set_aside: bool = False


TASKS = {
    "digits": GuidedTask("digits", "word", DIGITS),
    "instruments": GuidedTask("instruments", "family", PAPER_FAMILIES, r=15.0, second="first"),
    "gender": GuidedTask("gender", "gender", ("f", "m")),
    "choices": GuidedTask(
        "choices", "word", DIGITS, corpus="digits", set_aside=True
    ),  # where choices may look
}


def write_subset(task: GuidedTask, corpus: Path, out: Path) -> None:
    """A folder of the corpus's clips that the task is about; of gender, some grown-ups drawn at random.

    Raises:
        DataError: the corpus cannot be read, or has no clips of the task.
    """
    clips = [clip for clip in read_folder(corpus) if clip.labels.get(task.column) in task.labels]
    if task.name == "gender":
        chosen = {name for split, count in VOICES.items() for name in _voices(clips, task, split, count)}
        clips = [clip for clip in clips if (clip.split, clip.speaker) in chosen]
    if task.set_aside:
        clips = _set_aside([clip for clip in clips if clip.split == "train"])
    for split in ("train", "test"):
        if not any(clip.split == split for clip in clips):
            raise DataError(
                f"{corpus} has no {split} clip whose {task.column} is of {', '.join(task.labels)}."
            )
    rows = [
        f"{clip.path.resolve()}\t{clip.speaker}\t{clip.split}\t{clip.labels[task.column]}" for clip in clips
    ]
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "metadata.partial"
    partial.write_text("\n".join([f"path\tspeaker\tsplit\t{task.column}", *rows]) + "\n")
    partial.replace(out / "metadata.tsv")


def _set_aside(clips: Sequence[Clip]) -> list[Clip]:
    """The same clips, with some speakers moved to the split `test`."""
    names = sorted({clip.speaker for clip in clips})
    count = max(1, len(names) // SET_ASIDE)
    aside = {names[i] for i in np.random.default_rng(0).permutation(len(names))[:count]}
    return [replace(clip, split="test") if clip.speaker in aside else clip for clip in clips]


def _voices(clips: Sequence[Clip], task: GuidedTask, split: str, count: int) -> Iterator[tuple[str, str]]:
    for label in task.labels:
        names = sorted(
            {
                clip.speaker
                for clip in clips
                if clip.split == split
                and clip.labels[task.column] == label
                and int(clip.labels.get("age", ADULT)) >= ADULT
            }
        )
        for i in np.random.default_rng(0).permutation(len(names))[:count]:
            yield split, names[i]


@dataclass(frozen=True)
class LabelledSpectrograms:
    """Seconds of a split.

    Attributes:
        x: spectrograms (seconds, bins, frames).
        y: their classes (seconds,).
        clips: what each was cut from.
    """

    x: Tensor
    y: NDArray[np.int64]
    clips: list[Clip]

    def of(self, paths: set[Path]) -> LabelledSpectrograms:
        """Only the seconds of some files."""
        indices = [i for i, clip in enumerate(self.clips) if clip.path in paths]
        return LabelledSpectrograms(self.x[indices], self.y[indices], [self.clips[i] for i in indices])


def read_spectrograms(
    task: GuidedTask, cache: ClipCache, settings: SpectrogramSettings
) -> LabelledSpectrograms:
    """Of each of the task's seconds, see `read_seconds`."""
    seconds, clips = read_seconds(task, cache)
    front = NormalisedLogSpectrogram(settings)
    with torch.no_grad():
        x = [
            front(torch.from_numpy(seconds[start : start + BATCH])) for start in range(0, len(seconds), BATCH)
        ]
    return LabelledSpectrograms(torch.cat(x), classes_of(task, clips), clips)


def read_seconds(task: GuidedTask, cache: ClipCache) -> tuple[Float32, list[Clip]]:
    """Every second of every clip but pauses, or the first one alone, as the task has it.

    Returns:
        (seconds, 16000), and the clip of each.
    """
    seconds, clips = [], []
    for index, clip in enumerate(cache.clips):
        for second in _seconds(cache.clip(index), task.second):
            seconds.append(second)
            clips.append(clip)
    return np.stack(seconds), clips


def classes_of(task: GuidedTask, clips: Sequence[Clip]) -> NDArray[np.int64]:
    """(clips,) their places in the task's labels."""
    return np.asarray([task.labels.index(clip.labels[task.column]) for clip in clips], dtype=np.int64)


def _seconds(samples: Float32, which: str) -> Iterator[Float32]:
    first = one_second(samples)
    whole = samples[: samples.size // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ].reshape(-1, SAMPLE_RATE_HZ)
    if which == "first" or len(whole) < 2:
        yield first
        return
    for second in whole:
        if second.std() >= QUIET * samples.std():
            yield second
