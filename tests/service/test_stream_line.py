from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from service.audio import AudioLimits, SpeechDetector, decode
from service.listening.speech import STEP_SAMPLES, SpeechSteps


@pytest.mark.parametrize("narrow", [True, False])
def test_a_narrow_line_is_known_after_some_speech(examples: Path, narrow: bool) -> None:
    samples = decode((examples / "conversations" / "1998-3005.opus").read_bytes(), AudioLimits()).samples
    if narrow:
        samples = soxr.resample(soxr.resample(samples, 16_000, 8_000), 8_000, 16_000)
    steps = SpeechSteps(SpeechDetector())
    known = []
    for start in range(0, len(samples) - STEP_SAMPLES, STEP_SAMPLES):
        steps.take(np.asarray(samples[start : start + STEP_SAMPLES], np.float32))
        known.append((steps.speech_s, steps.line.kind.narrow))
    assert not any(line for speech_s, line in known if speech_s < 2.0)
    assert all(line == narrow for speech_s, line in known if speech_s > 4.0)
