from __future__ import annotations

import pytest
from torch import Tensor

from trainer.syntone.dataset import SynTone
from trainer.syntone.features import grid_features
from trainer.syntone.objectives import Material


@pytest.fixture(scope="session")
def grid() -> SynTone:
    """A coarser grid over the paper's ranges: 600 clips."""
    return SynTone(amplitudes=5, frequencies=30)


@pytest.fixture(scope="session")
def features(grid: SynTone) -> Tensor:
    return grid_features(grid)


@pytest.fixture(scope="session")
def material(grid: SynTone, features: Tensor) -> Material:
    return Material(grid, features)
