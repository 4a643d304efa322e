"""Batches of labelled and unlabelled seconds of audio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bundle.arrays import Float32
from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, DataError, read_folder
from trainer.gaae.spectrogram import WAVEFORM_SAMPLES
from trainer.training.settings import tuples


@dataclass(frozen=True)
class Guidance:
    """The audio to train on, and the labels to use.

    Attributes:
        labelled: folder whose metadata.tsv has the column `label_column`.
        labels: the classes, in order.
        share: percent of each class whose labels are used.
        unlabelled: folders whose audio is used without labels. The labelled clips may be among it.
        pool: `all` clips of the unlabelled folders, or only those of the `classes`, as in the paper's S09.
        split: used in every folder that has splits; None uses all.
        second: of audio longer than a second, a `random` one each time it is drawn, or the `first`.
    """

    labelled: Path
    label_column: str
    labels: tuple[str, ...]
    share: float
    unlabelled: tuple[Path, ...]
    pool: str = "all"
    split: str | None = "train"
    second: str = "random"

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "labelled": str(self.labelled),
            "labels": list(self.labels),
            "unlabelled": [str(folder) for folder in self.unlabelled],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Guidance:
        folders = {
            "labelled": Path(values["labelled"]),
            "unlabelled": tuple(Path(folder) for folder in values["unlabelled"]),
        }
        return cls(**{**tuples(values), **folders})


@dataclass(frozen=True)
class GaaeBatch:
    """x_u, x_l: unlabelled and labelled waveforms (batch, 16000); y_l: classes of x_l (batch,)."""

    x_u: Tensor
    x_l: Tensor
    y_l: Tensor

    def to(self, device: torch.device) -> GaaeBatch:
        return GaaeBatch(self.x_u.to(device), self.x_l.to(device), self.y_l.to(device))

    def parts(self, count: int) -> list[GaaeBatch]:
        """The batch in `count` parts of equal sizes.

        Raises:
            ValueError: `count` does not divide the batch.
        """
        if len(self.x_u) % count or len(self.x_l) % count:
            raise ValueError(
                f"{count} parts do not divide batches of {len(self.x_u)} and {len(self.x_l)}: "
                "give another accumulate."
            )
        columns = (column.chunk(count) for column in (self.x_u, self.x_l, self.y_l))
        return [GaaeBatch(*part) for part in zip(*columns, strict=True)]


def read_labelled(guidance: Guidance, seed: int) -> list[tuple[Clip, int]]:
    """The labelled clips with their classes: `share` percent of each class, and at least one clip.

    Raises:
        DataError: a class has no clips.
    """
    clips = read_folder(guidance.labelled, guidance.split)
    labelled = []
    for y, label in enumerate(guidance.labels):
        of_class = [clip for clip in clips if clip.labels.get(guidance.label_column) == label]
        if not of_class:
            values = sorted({clip.labels.get(guidance.label_column, "") for clip in clips} - {""})
            raise DataError(
                f"{guidance.labelled} has no clip whose {guidance.label_column} is {label!r}; "
                f"it has {', '.join(values) or 'no such column'}: give other --label or --label-column."
            )
        n = max(round(guidance.share / 100 * len(of_class)), 1)
        chosen = np.random.default_rng((seed, y)).permutation(len(of_class))[:n]
        labelled += [(of_class[i], y) for i in sorted(chosen)]
    return labelled


def read_pool(guidance: Guidance) -> list[Clip]:
    """The clips of the unlabelled folders. A folder without metadata.tsv has no splits and is taken whole.

    Raises:
        DataError: see `trainer.audio.folders.read_folder`.
    """
    clips = [
        clip
        for folder in guidance.unlabelled
        for clip in read_folder(folder, guidance.split if (folder / "metadata.tsv").is_file() else None)
    ]
    if guidance.pool == "classes":
        clips = [clip for clip in clips if clip.labels.get(guidance.label_column) in guidance.labels]
    return clips


class GaaeSampler:
    """Batches by number, fixed by the seed: a resumed training draws the same as an uninterrupted one.

    Args:
        classes: the class of each clip of `labelled`.
        sizes: batch sizes of x_u and x_l.
        second: see `Guidance`.
    """

    def __init__(
        self,
        unlabelled: ClipCache,
        labelled: ClipCache,
        classes: Sequence[int],
        sizes: tuple[int, int],
        seed: int,
        second: str = "random",
    ) -> None:
        self.unlabelled, self.labelled = unlabelled, labelled
        self.classes = np.asarray(classes, dtype=np.int64)
        self.sizes, self.seed, self.second = sizes, seed, second

    def at(self, draw: int) -> GaaeBatch:
        """The batch of a draw, counted from 0 over the whole training."""
        rng = np.random.default_rng((self.seed, draw))
        u = rng.integers(len(self.unlabelled), size=self.sizes[0])
        ell = rng.integers(len(self.labelled), size=self.sizes[1])
        return GaaeBatch(
            self._seconds(self.unlabelled, u, rng),
            self._seconds(self.labelled, ell, rng),
            torch.from_numpy(self.classes[ell]),
        )

    def _seconds(self, cache: ClipCache, indices: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        rows = np.zeros((len(indices), WAVEFORM_SAMPLES), dtype=np.float32)
        for row, index in zip(rows, indices, strict=True):
            spare = max(int(cache.lengths[index]) - WAVEFORM_SAMPLES, 0)
            start = int(rng.integers(spare + 1)) if self.second == "random" else 0
            row[:] = one_second(cache.piece(int(index), start, WAVEFORM_SAMPLES))
        return torch.from_numpy(rows)


def one_second(samples: Float32) -> Float32:
    """(samples,) → (16000,): cut, or filled with zeros at the end."""
    second = np.zeros(WAVEFORM_SAMPLES, dtype=np.float32)
    second[: samples.size] = samples[:WAVEFORM_SAMPLES]
    return second
