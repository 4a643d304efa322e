"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Folder of real recordings: corpora with a metadata.tsv each."""
    folder = os.environ.get("TWOFOLD_DATA")
    if not folder:
        pytest.skip("TWOFOLD_DATA is unset: this test needs real speech")
    return Path(folder)
