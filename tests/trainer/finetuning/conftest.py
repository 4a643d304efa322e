from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer.audio.folders import read_folder
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import export_voice_bundle
from trainer.training.settings import override


@pytest.fixture(scope="module")
def parent(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the shipped kind with trainable weights: random ones, but real graphs and scoring."""
    torch.manual_seed(0)
    settings = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "bt_width": "64"})
    folder = tmp_path_factory.mktemp("models") / "autodecompose" / "1.0.0"
    clips = read_folder(examples)
    export_voice_bundle(
        autodecompose_voice(Objective(settings)), clips, folder, training={"data": ["examples"]}
    )
    return folder
