from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.voice.floors import Floor, floor_models
from trainer.audio.folders import read_folder
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import fit_voice
from trainer.training.settings import override

SMALL = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "width": "16", "bt_width": "16"})


@pytest.mark.parametrize("name", ["no network", "untrained"])
def test_a_floor_tells_pitches_apart_without_training(tones: Path, name: str) -> None:
    model = floor_models(SMALL)[name]
    floor = Floor(name, model, fit_voice(model, read_folder(tones)))
    figures = floor.compare(tones, split=None, speakers=4, seed=0, console=Console(file=io.StringIO()))
    assert figures["speakers"] == 4
    assert figures["eer"] < 20
    assert figures["cllr"] < 1  # better than to know nothing: the calibration belongs to the floor


def test_the_floors_are_the_bands_and_the_network_drawn_by_seed() -> None:
    crops = np.random.default_rng(0).normal(0, 0.1, (2, 16_384)).astype(np.float32)
    bands, network = (model.encode(crops) for model in floor_models(SMALL).values())
    assert bands.shape == (2, 2 * 80)
    assert network.shape == (2, 2 * 16)
    again, other = (floor_models(SMALL, seed)["untrained"].encode(crops) for seed in (0, 1))
    np.testing.assert_array_equal(network, again)
    assert np.abs(network - other).max() > 1e-3
