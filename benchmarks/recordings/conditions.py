"""What happens to a recording on its way: noise, another room and microphone.

Every recording gets its own draw, which depends on the seed and the recording's number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bundle.arrays import Float32
from trainer.audio.acoustics import AcousticSettings, degrade
from trainer.audio.folders import read_audio, read_folder
from trainer.scoring.embedding import Condition

FRAME_SAMPLES = 160  # 10 ms
SILENT = 0.01  # of a noise recording's loudest frame
CHANNEL_SNR_DB = 15.0
UNCHANGED = AcousticSettings(
    gain_db=(0.0, 0.0),
    noise_probability=0.0,
    reverb_probability=0.0,
    band_probability=0.0,
    tilt_probability=0.0,
)


def read_noises(folder: Path, split: str = "test") -> list[Float32]:
    """Recordings of noise without their silent stretches, so that a level over them means something.

    Raises:
        DataError: the folder or a file cannot be read.
    """
    noises = []
    for clip in read_folder(folder, split):
        samples = read_audio(clip.path)
        frames = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        level = np.sqrt((frames**2).mean(axis=1))
        noises.append(frames[level > SILENT * level.max()].ravel())
    return noises


def in_noise(noises: Sequence[Float32], snr_db: float, *, seed: int = 0) -> Condition:
    """Recorded noise at `snr_db` over the whole recording."""
    return _degraded(noises, replace(UNCHANGED, noise_probability=1.0, noise_snr_db=(snr_db, snr_db)), seed)


def other_channel(noises: Sequence[Float32], *, seed: int = 0) -> Condition:
    """An equaliser of ±6 dB, a room's response and noise at 15 dB, all the recording's own."""
    channel = replace(
        UNCHANGED,
        noise_probability=1.0,
        noise_snr_db=(CHANNEL_SNR_DB, CHANNEL_SNR_DB),
        reverb_probability=1.0,
        tilt_probability=1.0,
        tilt_db=6.0,
    )
    return _degraded(noises, channel, seed)


def equalised(tilt_db: float = 6.0, *, seed: int = 0) -> Condition:
    """An equaliser of ± `tilt_db`, the recording's own, nothing else."""
    return _degraded((), replace(UNCHANGED, tilt_probability=1.0, tilt_db=tilt_db), seed)


def _degraded(noises: Sequence[Float32], settings: AcousticSettings, seed: int) -> Condition:
    def condition(samples: Float32, index: int) -> Float32:
        rng = np.random.default_rng([seed, index])
        looped = np.zeros_like(samples)
        if noises:
            noise = noises[int(rng.integers(len(noises)))]
            looped = np.resize(np.roll(noise, rng.integers(noise.size)), samples.size)
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        out = degrade(torch.from_numpy(samples)[None], torch.from_numpy(looped)[None], generator, settings)
        return np.asarray(out[0].numpy())

    return condition
