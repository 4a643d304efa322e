"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Folder of the speech corpora (TWOFOLD_DATA)."""
    folder = os.environ.get("TWOFOLD_DATA")
    if not folder:
        pytest.skip("TWOFOLD_DATA is not set: this test needs real speech")
    return Path(folder)
