"""What happens to the recordings of a corpus, by name. Noise and rooms are of the test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from benchmarks.conditions.codecs import CODECS, Codec, through_codec
from benchmarks.recordings.conditions import equalised, in_noise, read_noises
from bundle.arrays import Float32
from trainer.audio.folders import read_audio, read_noise
from trainer.scoring.embedding import Condition
from trainer.scoring.narrow import at_8_khz

Degradation = Callable[[Sequence[Float32]], list[Float32]]  # all recordings of a corpus

CLEAN = "as recorded"
SNRS_DB = (20, 10, 5)


def degradations(data: Path) -> dict[str, Degradation]:
    """By name, in the table's order.

    Raises:
        DataError: the folders ambience or rooms cannot be read.
    """
    ambience = read_noises(data / "ambience")
    rooms = [read_audio(clip.path) for clip in read_noise(data / "rooms", "test")]
    single: dict[str, Condition] = {
        CLEAN: lambda samples, _: samples,
        "20 dB quieter": lambda samples, _: samples * 0.1,
        "20 dB louder, clipped": lambda samples, _: np.clip(samples * 10, -1, 1),
        "offset of 0.1": lambda samples, _: samples + np.float32(0.1),
        "equaliser of ±6 dB": equalised(),
        "8 kHz": at_8_khz,
        **{f"ambience at {snr_db} dB": in_noise(ambience, snr_db) for snr_db in SNRS_DB},
        "measured rooms": in_room(rooms),
    }
    by_name: dict[str, Degradation] = {name: partial(_each, condition) for name, condition in single.items()}
    by_name.update((name, partial(_coded, codec)) for name, codec in CODECS.items())
    return by_name


def in_room(rooms: Sequence[Float32], *, seed: int = 0) -> Condition:
    """Each recording in a room of its own, from the direct sound on."""

    def condition(samples: Float32, index: int) -> Float32:
        room = rooms[int(np.random.default_rng([seed, index]).integers(len(rooms)))]
        echoing = fftconvolve(samples, room)[: samples.size]
        return np.asarray(echoing * (np.abs(samples).max() / max(np.abs(echoing).max(), 1e-9)), np.float32)

    return condition


def _each(condition: Condition, recordings: Sequence[Float32]) -> list[Float32]:
    return [condition(samples, index) for index, samples in enumerate(recordings)]


def _coded(codec: Codec, recordings: Sequence[Float32]) -> list[Float32]:
    return through_codec(recordings, codec)
