from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def parent(trainable_models: Path) -> Path:
    """A bundle of the shipped kind with trainable weights: random ones, but real graphs and scoring."""
    return trainable_models / "autodecompose" / "1.0.0"
