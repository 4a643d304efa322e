from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from trainer.audio.acoustics import AcousticSettings
from trainer.audio.chain import ChainSettings
from trainer.audio.folders import Clip
from trainer.bundles.voice import Channels


def clip(path: Path, samples: int, seed: int) -> Clip:
    soundfile.write(path, 0.1 * np.random.default_rng(seed).normal(size=samples), 16_000)
    return Clip(path, "")


def test_a_whole_recording_goes_through_one_chain_and_keeps_its_length(tmp_path: Path) -> None:
    noise, room = clip(tmp_path / "n.wav", 20_000, 0), clip(tmp_path / "r.wav", 4_000, 1)
    always = ChainSettings(room_probability=1.0, noise_probability=1.0)
    samples = 0.1 * np.random.default_rng(2).normal(size=50_001).astype(np.float32)  # longer than the noise
    channels = Channels(always, [noise], [room])
    received = channels.every_second(samples, 1)
    assert received.shape == samples.shape
    assert np.isfinite(received).all()
    assert not np.allclose(received, samples, atol=1e-2)
    np.testing.assert_array_equal(received, Channels(always, [noise], [room]).every_second(samples, 1))
    assert channels.every_second(samples, 2) is samples


def test_crops_go_through_chains_or_channels_of_their_own(tmp_path: Path) -> None:
    crops = np.repeat(0.1 * np.random.default_rng(2).normal(size=(1, 16_384)).astype(np.float32), 4, axis=0)
    for settings in (ChainSettings(), AcousticSettings(noise_probability=1.0)):
        received = Channels(settings, [clip(tmp_path / "n.wav", 20_000, 0)])(crops)
        assert received.shape == crops.shape
        assert len({round(float(np.abs(crop).sum()), 3) for crop in received}) == 4
