"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("twofold", deadline=None)  # a busy machine must not fail a test
settings.load_profile("twofold")


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Folder of real recordings: corpora with a metadata.tsv each."""
    folder = os.environ.get("TWOFOLD_DATA")
    if not folder:
        pytest.skip("TWOFOLD_DATA is unset: this test needs real speech")
    return Path(folder)
