"""The same voice stays the same: level, offset, channels (A1, A2, A7), and what is said of it (A3)."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from bundle.arrays import Float32
from service.audio import AudioLimits, SpeechDetector, prepare
from service.audio.channels import mix_down
from service.audio.level import SPEECH_RMS, levelled, speech_rms
from service.audio.prepare import PreparedRecording
from tests.service.signals import RATE, encode, speech

VOICE = speech(8)
OTHER = np.roll(VOICE[::-1], RATE // 3)  # as loud, and like nothing in VOICE


def prepared(detector: SpeechDetector, samples: Float32, rate: int = RATE) -> PreparedRecording:
    return prepare(encode(samples, rate, subtype="FLOAT"), AudioLimits(), detector)


@pytest.mark.parametrize("gain_db", [-60, -40, -20, -10, 10])
def test_a1_speech_is_found_at_any_level(detector: SpeechDetector, gain_db: float) -> None:
    plain, other = prepared(detector, VOICE), prepared(detector, VOICE * np.float32(10 ** (gain_db / 20)))
    assert other.regions == plain.regions
    np.testing.assert_allclose(other.crops.waveforms, plain.crops.waveforms, atol=1e-4)
    assert plain.audio.level_dbfs is not None
    if gain_db < 0:
        assert other.audio.level_dbfs == pytest.approx(plain.audio.level_dbfs + gain_db, abs=0.3)


def test_a1_clipping_is_measured_and_said(detector: SpeechDetector) -> None:
    clipped = prepared(detector, np.clip(20 * VOICE, -1, 1)).audio
    assert clipped.clipped > 0.01
    assert any("clipped" in warning for warning in clipped.warnings)
    assert prepared(detector, VOICE).audio.warnings == ()


@pytest.mark.parametrize("offset", [0.05, 0.4, -0.2])
def test_a2_an_offset_changes_nothing(detector: SpeechDetector, offset: float) -> None:
    plain = prepared(detector, VOICE)
    other = prepared(detector, VOICE / 2 + np.float32(offset))
    assert other.crops.speech_s == pytest.approx(plain.crops.speech_s, abs=0.1)
    np.testing.assert_allclose(other.samples[RATE:-RATE], plain.samples[RATE:-RATE], atol=1e-3)


def test_spikes_and_silence_do_not_set_the_level() -> None:
    spiky = VOICE * np.float32(0.01)
    spiky[:: RATE // 2] = 1.0
    assert speech_rms(spiky) == pytest.approx(0.01 * speech_rms(VOICE), rel=0.6)  # 4 dB
    hidden = np.concatenate([np.zeros(60 * RATE, np.float32), VOICE])
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(hidden)).astype(np.float32)
    assert speech_rms(hidden + noise) == pytest.approx(speech_rms(VOICE), rel=0.25)  # 2 dB


def test_digital_silence_and_denormals_stay_silent() -> None:
    assert np.abs(levelled(np.zeros(RATE, np.float32))).max() == 0
    assert np.abs(levelled(np.full(RATE, 1e-30, np.float32))).max() < SPEECH_RMS


@pytest.mark.parametrize(("rate", "most"), [(RATE, 8000), (8_000, 4_200)])
def test_a3_bandwidth_is_measured_not_read(detector: SpeechDetector, rate: int, most: int) -> None:
    telephone = soxr.resample(soxr.resample(VOICE, RATE, rate), rate, 48_000)
    audio = prepared(detector, telephone, 48_000).audio
    assert audio.sample_rate_hz == 48_000
    assert audio.bandwidth_hz is not None
    assert most - 800 <= audio.bandwidth_hz <= most
    assert audio.narrow == (rate == 8_000)
    assert any("telephone" in warning for warning in audio.warnings) == audio.narrow


def test_a7_channels_that_cancel_or_lag_are_not_averaged() -> None:
    for second, reason in ((-0.9 * VOICE, "cancel"), (np.roll(VOICE, 16), "late")):
        mix = mix_down(np.stack([VOICE, np.asarray(second, np.float32)], axis=1))
        assert reason in mix.warnings[0]
        assert speech_rms(mix.samples) > 0.8 * speech_rms(VOICE)


def test_a7_the_same_sound_is_averaged_without_a_word() -> None:
    mix = mix_down(np.stack([VOICE, VOICE / 2], axis=1))
    np.testing.assert_allclose(mix.samples, 0.75 * VOICE, atol=1e-6)
    assert mix.warnings == ()


def test_a7_two_people_are_said() -> None:
    first = np.arange(len(VOICE)) < len(VOICE) // 2
    mix = mix_down(
        np.stack([np.where(first, VOICE, 0), np.where(first, 0, OTHER)], axis=1).astype(np.float32)
    )
    assert "different people" in mix.warnings[0]


def test_a7_a_silent_channel_does_not_count() -> None:
    mix = mix_down(np.stack([np.zeros_like(VOICE), VOICE], axis=1))
    assert "channel 2 of 2" in mix.warnings[0]
    np.testing.assert_array_equal(mix.samples, VOICE)
