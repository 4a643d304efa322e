"""The representations of a crop that a linear classifier is trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from bundle.arrays import Float32
from bundle.vectors import mean_and_deviation
from trainer.audio.folders import DataError
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.autodecompose.settings import TrainSettings
from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.objective import BarlowTwins
from trainer.bundles.runner import BATCH, BundleRunner
from trainer.models import load_objective
from trainer.scoring.embedding import CropEncoder
from trainer.training.run_folder import RunFolder


@dataclass(frozen=True)
class Representation:
    name: str
    made_by: str  # for the page
    encode: CropEncoder


def read_representations(bundle: Path, twins: Path) -> list[Representation]:
    """Voice and content encoder of a bundle, Barlow Twins, and the features that the encoders look at.

    Frames become one vector a crop: mean and deviation over time.

    Args:
        twins: a run folder of `trainer pretrain --model barlow_twins`, or a bundle of one.

    Raises:
        BundleError: a bundle cannot be used.
        DataError: `twins` holds no Barlow Twins.
    """
    shipped = BundleRunner.load(bundle)
    features = LogMel(FRONTENDS[TrainSettings().frontend])

    def raw(crops: Float32) -> Float32:
        batches = np.split(crops, range(BATCH, len(crops), BATCH))
        frames = [features(torch.from_numpy(batch)).numpy() for batch in batches]
        return mean_and_deviation(np.concatenate(frames))

    def content(crops: Float32) -> Float32:
        return mean_and_deviation(shipped.content(crops))

    return [
        Representation("voice encoder", f"`{shipped.id}`, as served", shipped.embed),
        Representation("content encoder", f"`{shipped.id}`, frames pooled over time", content),
        _bundled_twins(twins) if (twins / "bundle.json").is_file() else _trained_twins(RunFolder(twins)),
        Representation("raw log-mel", "no training: its frames pooled over time", raw),
    ]


def _bundled_twins(folder: Path) -> Representation:
    bundle = BundleRunner.load(folder)
    return Representation("Barlow Twins", f"`{bundle.id}`, as served", bundle.embed)


def _trained_twins(run: RunFolder) -> Representation:
    try:
        objective, step = load_objective(run)
        corpora = " and ".join(json.loads(run.card.read_text())["data"])
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"No training in {run.path}: make one with `trainer pretrain --model barlow_twins`. {error}"
        ) from error
    if not isinstance(objective, BarlowTwins):
        raise DataError(f"{run.path} holds a training of {run.model}: give one of barlow_twins.")
    settings = objective.settings
    made_by = f"ResNet-{settings.depth} of width {settings.width}, {step} steps of {settings.batch} crops"
    return Representation("Barlow Twins", f"{made_by} of {corpora}", partial(encode, objective.backbone))
