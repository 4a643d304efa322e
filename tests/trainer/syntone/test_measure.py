from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.syntone.dataset import SynTone
from trainer.syntone.measure import measure, told, what_is_known
from trainer.syntone.objectives import MODELS, Material
from trainer.syntone.settings import SETTINGS


def test_codes_that_copy_the_factors_tell_them() -> None:
    grid = SynTone(amplitudes=10, frequencies=20)
    noise = np.random.default_rng(0).normal(size=len(grid))
    codes = np.column_stack([grid.factors[:, 2], noise, grid.factors[:, 0]])
    shares = told(codes, grid.factors)
    np.testing.assert_allclose(shares[[0, 2]], [[0, 0, 1], [1, 0, 0]], atol=1e-9)
    assert shares[1].max() < 0.1


def test_a_part_of_the_codes_knows_its_factor_only(grid: SynTone) -> None:
    factors = torch.from_numpy(grid.factors).float()
    timbre, amplitude, frequency = what_is_known(factors[:, :1] * 10, grid)
    assert timbre == 1
    assert max(amplitude, frequency) < 0.1
    timbre, amplitude, frequency = what_is_known(factors[:, 1:] * torch.tensor([10, 1e-3]), grid)
    assert timbre < 0.4
    assert min(amplitude, frequency) > 0.9


@pytest.mark.parametrize("name", ["vae", "autodecompose"])
def test_measures_of_a_model(name: str, material: Material) -> None:
    torch.manual_seed(0)
    model = MODELS[name](SETTINGS[name]).eval()
    measures = measure(model, material)
    assert set(measures.scores) == {"mig", "sap", "dcimig", "jemmig", "modularity", "active"}
    assert measures.scores["mig"] != measures.swapped["mig"]
    assert np.shape(measures.told) == (8, 3)
    assert max(measures.explained, measures.explained_trained) < 0.1  # untrained
    parts = {"all codes"} | ({"timbre encoder", "pitch encoder"} if name == "autodecompose" else set())
    assert set(measures.known) == parts
