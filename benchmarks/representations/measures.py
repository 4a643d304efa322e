"""What linear classifiers and the disentanglement measures say of one representation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from trainer.audio.folders import read_folder
from trainer.downstream import Task, labelled_share, linear_probe, speaker_factors
from trainer.metrics import Disentanglement, disentanglement
from trainer.scoring.embedding import CropEncoder

DRAWS = 5  # of the examples that are labelled when only some are
SHARE_PERCENT = 10
NOISE_CODES = 256  # of the row that knows nothing: as many as a voice embedding has


@dataclass(frozen=True)
class Accuracy:
    """Top-1, in percent."""

    all_labels: float
    share: float  # mean over `DRAWS`, `SHARE_PERCENT` % of the labels
    share_std: float


@dataclass(frozen=True)
class RepresentationFigures:
    codes: int  # numbers a crop
    accuracy: Mapping[str, Accuracy]  # by task
    single_codes: Disentanglement


def measure(
    encode: CropEncoder, tasks: Mapping[str, Task], factors: NDArray[np.str_]
) -> RepresentationFigures:
    """Every crop of every task is encoded once.

    Args:
        tasks: by name; `speaker` gives the crops of the disentanglement measures.
        factors: of those crops, from `read_factors`.
    """
    accuracy = {}
    for name, task in tasks.items():
        train, test = encode(task.train.crops), encode(task.test.crops)
        accuracy[name] = _accuracy(task, train, test)
        if name == "speaker":
            codes = np.concatenate([train, test])
    return RepresentationFigures(codes.shape[1], accuracy, disentanglement(codes, factors))


def measure_chance(tasks: Mapping[str, Task], factors: NDArray[np.str_]) -> RepresentationFigures:
    """Who always names the class that is tested most often, and codes of pure noise."""
    accuracy = {}
    for name, task in tasks.items():
        most = 100 * float(np.bincount(task.test.labels).max()) / len(task.test.labels)
        accuracy[name] = Accuracy(most, most, 0.0)
    noise = np.random.default_rng(0).normal(size=(len(factors), NOISE_CODES))
    return RepresentationFigures(NOISE_CODES, accuracy, disentanglement(noise, factors))


def read_factors(speaker: Task, data: Path) -> NDArray[np.str_]:
    """What is true of the speaker task's crops, labelled ones first: names, (n, 3) in the order of `FACTORS`.

    Raises:
        DataError: the corpus does not say a speaker's gender and age.
    """
    known = {clip.speaker: clip for clip in read_folder(data / speaker.corpus)}
    by_class = [speaker_factors(known[name]) for name in speaker.classes]
    labels = np.concatenate([speaker.train.labels, speaker.test.labels])
    factors: NDArray[np.str_] = np.asarray(by_class)[labels]
    return factors


def _accuracy(task: Task, train: Float32, test: Float32) -> Accuracy:
    labels, test_labels = task.train.labels, task.test.labels
    few = []
    for seed in range(DRAWS):
        rows = labelled_share(labels, SHARE_PERCENT, seed)
        few.append(linear_probe(train[rows], labels[rows], test, test_labels))
    return Accuracy(linear_probe(train, labels, test, test_labels), float(np.mean(few)), float(np.std(few)))
