"""Every odd input gets the error it is owed from `prepare`, or usable crops."""

from __future__ import annotations

import numpy as np
import pytest

from service.audio import AudioLimits, SpeechDetector, prepare
from service.audio.readers import FfmpegReader
from service.errors import TwofoldError
from tests.service.odd_inputs import ODD_INPUTS, OddInput


@pytest.mark.parametrize("case", ODD_INPUTS, ids=lambda case: case.name)
def test_prepare(case: OddInput, detector: SpeechDetector, ffmpeg: FfmpegReader) -> None:
    data = case.build()
    if case.status == 200:
        prepared = prepare(data, AudioLimits(), detector, ffmpeg, min_speech_s=0.5)
        assert prepared.crops.speech_s > 2.0
        assert np.abs(prepared.crops.waveforms).max() <= 1.0
        return
    with pytest.raises(TwofoldError) as caught:
        prepare(data, AudioLimits(), detector, ffmpeg, min_speech_s=0.5)
    assert (caught.value.status, caught.value.code) == (case.status, case.code)
    assert len(caught.value.detail.split(". ")) >= 2, "what is wrong, then what to do"


def test_names_are_unique() -> None:
    assert len({case.name for case in ODD_INPUTS}) == len(ODD_INPUTS) >= 60
