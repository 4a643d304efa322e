from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.audio import SpeechDetector
from service.audio.readers import FfmpegReader


@pytest.fixture(scope="session")
def detector() -> SpeechDetector:
    return SpeechDetector()


@pytest.fixture(scope="session")
def ffmpeg() -> Iterator[FfmpegReader]:
    reader = FfmpegReader()
    yield reader
    reader.close()
