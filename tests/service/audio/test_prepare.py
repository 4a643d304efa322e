"""From a file to crops, or to the error that says why not."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.audio import CROP_SAMPLES
from service.audio import AudioLimits, SpeechDetector, prepare
from service.errors import InsufficientSpeech, NoSpeech
from tests.service.signals import encode, noise, speech


def test_prepares_speech(detector: SpeechDetector) -> None:
    prepared = prepare(encode(speech(8)), AudioLimits(), detector, min_speech_s=1.0)
    assert prepared.decoded.duration_s == pytest.approx(8.0)
    assert 4.0 < prepared.crops.speech_s <= 8.0
    assert prepared.crops.speech_s == pytest.approx(
        sum(r.end_s - r.start_s for r in prepared.regions), abs=0.01
    )
    assert prepared.crops.waveforms.shape[1] == CROP_SAMPLES


def test_rate_does_not_change_what_is_found(detector: SpeechDetector) -> None:
    at_16k = prepare(encode(speech(8)), AudioLimits(), detector)
    at_44k = prepare(encode(speech(8, 44_100), 44_100), AudioLimits(), detector)
    assert at_44k.crops.speech_s == pytest.approx(at_16k.crops.speech_s, abs=0.1)
    assert np.corrcoef(at_44k.decoded.samples[: 7 * 16_000], speech(7))[0, 1] > 0.999


def test_silence_is_never_padded_into_speech(detector: SpeechDetector) -> None:
    with pytest.raises(NoSpeech, match=r"2\.00 s"):
        prepare(encode(noise(2)), AudioLimits(), detector)


def test_says_how_much_speech_is_missing(detector: SpeechDetector) -> None:
    with pytest.raises(InsufficientSpeech) as caught:
        prepare(encode(speech(4)), AudioLimits(), detector, min_speech_s=5.0)
    found_s = caught.value.extra["speech_s"]
    assert isinstance(found_s, float)
    assert 2.0 < found_s < 5.0
    assert caught.value.extra["required_s"] == 5.0
