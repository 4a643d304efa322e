"""Four downstream tasks on real speech (Barlow Twins for speech, section 3.1).

    speaker   speechocean762 test: which of 63 speakers; every other clip of each is labelled, the
              rest tested. All clips of a speaker are of one session, so the room helps.
    gender    speechocean762: train speakers labelled, test speakers tested; half of them are children.
    keyword   arabic_speech_commands: which of 40 words; train speakers labelled, test speakers tested.
    emotion   nemo: which of 6 acted emotions; every third speaker (of nine) tested, the others labelled.
              For measuring only: no shipped model is trained on nemo.

A clip is cut into 1.024 s crops from its start. To keep probes quick some clips and crops are left out,
evenly spread: see `_Recipe.clips` and `_Recipe.crops`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from trainer.audio.cache import build_cache
from trainer.audio.folders import Clip, DataError, contiguous_crops, fill_crop, read_folder

TASKS = ("speaker", "gender", "keyword", "emotion")


@dataclass(frozen=True)
class Examples:
    """Labelled crops."""

    crops: Float32  # (n, 16384), 1.024 s at 16 kHz
    labels: NDArray[np.intp]  # (n,) index into `Task.classes`


@dataclass(frozen=True)
class Task:
    """The crops of a downstream task, those to learn from and those to test on."""

    name: str
    corpus: str
    classes: tuple[str, ...]
    train: Examples  # whose labels the probe learns from
    test: Examples


def read_task(name: str, data: Path, cache_dir: Path) -> Task:
    """A task's crops, decoded once into `cache_dir`.

    Args:
        name: one of `TASKS`.
        data: the folder that holds the corpora.

    Raises:
        ValueError: no such task.
        DataError: the corpus is missing, a clip cannot be read or lacks its label, or a tested class has no
            labelled clip.
    """
    recipe = _recipe(name)
    train, test = split_clips(name, read_folder(data / recipe.corpus))
    classes = tuple(sorted({_label(clip, recipe) for clip in train}))
    unknown = sorted({_label(clip, recipe) for clip in test} - set(classes))
    if unknown:
        raise DataError(
            f"{data / recipe.corpus}: {name} tests {unknown}, but no train clip has these labels."
        )
    return Task(
        name,
        recipe.corpus,
        classes,
        *(_examples(clips, recipe, classes, cache_dir) for clips in (train, test)),
    )


def split_clips(name: str, clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """The clips of a task's corpus that are labelled, and those that are tested.

    Raises:
        ValueError: no such task.
    """
    recipe = _recipe(name)
    thinned = [group[i] for group in _groups(clips, recipe) for i in _evenly(len(group), recipe.clips)]
    return recipe.split(sorted(thinned, key=lambda clip: clip.path))


@dataclass(frozen=True)
class _Recipe:
    corpus: str
    label: str  # column of metadata.tsv
    split: Callable[[Sequence[Clip]], tuple[list[Clip], list[Clip]]]
    clips: int  # of a speaker (and class), at most
    crops: int  # of a clip, at most


def _recipe(name: str) -> _Recipe:
    recipes = {
        "speaker": _Recipe("speechocean762", "speaker", _every_other_test_clip, clips=20, crops=2),
        "gender": _Recipe("speechocean762", "gender", _by_split, clips=10, crops=2),
        "keyword": _Recipe("arabic_speech_commands", "word", _by_split, clips=5, crops=1),
        "emotion": _Recipe("nemo", "emotion", _every_third_speaker, clips=22, crops=2),
    }
    if name not in recipes:
        raise ValueError(f"A task is one of {', '.join(TASKS)}, not {name!r}.")
    return recipes[name]


def _every_other_test_clip(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    by_speaker: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.split == "test":
            by_speaker.setdefault(clip.speaker, []).append(clip)
    halves = [[clip for group in by_speaker.values() for clip in group[start::2]] for start in (0, 1)]
    return halves[0], halves[1]


def _by_split(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    return [clip for clip in clips if clip.split == "train"], [clip for clip in clips if clip.split == "test"]


def _every_third_speaker(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    tested = set(sorted({clip.speaker for clip in clips})[2::3])
    return [c for c in clips if c.speaker not in tested], [c for c in clips if c.speaker in tested]


def _label(clip: Clip, recipe: _Recipe) -> str:
    label = clip.speaker if recipe.label == "speaker" else clip.labels.get(recipe.label, "")
    if not label:
        raise DataError(f"{clip.path} has no {recipe.label} in metadata.tsv.")
    return label


def _groups(clips: Sequence[Clip], recipe: _Recipe) -> list[list[Clip]]:
    """Clips of one speaker and one class each."""
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.speaker, _label(clip, recipe)), []).append(clip)
    return list(groups.values())


def _evenly(n: int, at_most: int) -> NDArray[np.intp]:
    """`at_most` of n indices, evenly spread and clear of both ends; all n if there are fewer."""
    count = min(n, at_most)
    return ((np.arange(count) + 0.5) * n / count).astype(np.intp)


def _examples(clips: Sequence[Clip], recipe: _Recipe, classes: Sequence[str], cache_dir: Path) -> Examples:
    cache = build_cache(clips, cache_dir, warn=_refuse)
    crops, labels = [], []
    for i, clip in enumerate(clips):
        whole = contiguous_crops(fill_crop(cache.clip(i)))
        thinned = whole[_evenly(len(whole), recipe.crops)]
        crops.append(thinned)
        labels += [classes.index(_label(clip, recipe))] * len(thinned)
    return Examples(np.concatenate(crops), np.asarray(labels, dtype=np.intp))


def _refuse(problem: str) -> None:
    raise DataError(f"{problem} A task is measured on all of its clips.")
