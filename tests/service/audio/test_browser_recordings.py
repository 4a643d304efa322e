"""What a browser's MediaRecorder makes is read whole.

`recorded/` holds three seconds of reader 1998 of examples/, as Chromium 150 recorded them from a fake
microphone such as `tests/service/page/conftest.py` starts. Chromium writes Opus into both containers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from service.audio import AudioLimits, decode
from service.audio.containers.sniff import sniff
from service.audio.readers import FfmpegReader
from service.errors import TwofoldError

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(("name", "container"), [("chromium-150.webm", "WEBM"), ("chromium-150.mp4", "MP4")])
def test_chromium_s_recordings_are_read_whole(name: str, container: str, ffmpeg: FfmpegReader) -> None:
    data = (RECORDED / name).read_bytes()
    assert sniff(data) == container
    recording = decode(data, AudioLimits(), ffmpeg)
    assert (recording.codec, recording.source_rate_hz) == ("opus", 48_000)
    assert recording.duration_s == pytest.approx(3.0, abs=0.1)
    with pytest.raises(TwofoldError):
        decode(data[: len(data) // 2], AudioLimits(), ffmpeg)
