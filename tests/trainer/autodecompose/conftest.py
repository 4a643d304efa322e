from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainer.autodecompose.bundle import export_autodecompose
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings, override
from trainer.data import ClipCache, build_cache, read_folder

VOICES_HZ = (150.0, 260.0, 410.0, 630.0)


@pytest.fixture
def tones(tmp_path: Path, write_tone: Callable[[Path, float, float, int], None]) -> Path:
    """A folder of four "speakers", a pitch each, three recordings of 2.5 s."""
    folder = tmp_path / "tones"
    for voice, hz in enumerate(VOICES_HZ):
        for take in range(3):
            write_tone(
                folder / f"voice{voice}" / f"{take}.wav", hz * (1 + 0.02 * take), 2.5, 10 * voice + take
            )
    return folder


@pytest.fixture
def tone_cache(tones: Path, tmp_path: Path) -> ClipCache:
    return build_cache(read_folder(tones), tmp_path / "cache", warn=pytest.fail)


@pytest.fixture(scope="module")
def parent(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the shipped kind with trainable weights: random ones, but real graphs and scoring."""
    torch.manual_seed(0)
    settings = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "bt_width": "64"})
    folder = tmp_path_factory.mktemp("models") / "autodecompose" / "1.0.0"
    clips = read_folder(speech_data / "speechocean762", "train")[:60]
    export_autodecompose(Objective(settings), clips, folder, training={"data": ["speechocean762"]})
    return folder
