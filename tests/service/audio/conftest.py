from __future__ import annotations

import pytest

from service.audio import SpeechDetector


@pytest.fixture(scope="session")
def detector() -> SpeechDetector:
    return SpeechDetector()
