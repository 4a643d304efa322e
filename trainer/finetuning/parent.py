"""The bundle that fine-tuning starts from: torch modules, whitening and scoring."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors import SafetensorError

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.voice import VoiceBundle
from trainer.autodecompose.bundle import KIND
from trainer.autodecompose.graphs import VoiceGraph
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import WEIGHTS
from trainer.finetuning.errors import FinetuneError
from trainer.scoring.whitening import Whitening
from trainer.training.checkpoint import load_checkpoint, read_settings


@dataclass(frozen=True)
class Parent:
    """A model in torch, with its bundle's manifest."""

    bundle: VoiceBundle
    objective: Objective  # in evaluation mode
    whitening: Whitening

    @classmethod
    def load(cls, folder: Path) -> Parent:
        """Reads a bundle folder.

        Raises:
            FinetuneError: it is no bundle, damaged, of another kind, or has no trainable weights.
        """
        try:
            bundle = VoiceBundle.load(folder)
            if bundle.kind != KIND:
                raise FinetuneError(
                    f"Bundle {bundle.version} is of kind {bundle.kind}: choose a bundle of kind {KIND}, "
                    "only those can be fine-tuned."
                )
            if "weights" not in bundle.files:
                raise FinetuneError(f"Bundle {bundle.version} has no {WEIGHTS} to fine-tune: choose another.")
            objective = Objective(TrainSettings.from_json(read_settings(folder / WEIGHTS)))
            load_checkpoint(folder / WEIGHTS, {"objective": objective})
        except (BundleError, OSError, SafetensorError) as error:
            raise FinetuneError(f"The parent cannot be fine-tuned: {error}") from error
        return cls(bundle, objective.eval(), _whitening(bundle.file("voice")))

    def copy(self) -> Parent:
        """A copy whose weights can be trained."""
        return replace(self, objective=copy.deepcopy(self.objective))

    @property
    def voice(self) -> VoiceGraph:
        return VoiceGraph(self.objective, self.whitening).eval()

    @property
    def mean(self) -> Float32:
        """(dim,) of the scoring."""
        return np.asarray(self.bundle.scoring.mean, np.float32)


def _whitening(path: Path) -> Whitening:
    """Read from the exported graph: it is fitted after training, so the weights file lacks it."""
    constants = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    try:
        mean, matrix = (numpy_helper.to_array(constants[name]) for name in ("mean", "matrix"))
    except KeyError as error:
        raise FinetuneError(f"{path.name} has no whitening {error}: export the parent again.") from error
    return Whitening(mean.copy(), matrix.copy())
