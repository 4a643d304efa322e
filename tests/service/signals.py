"""Signals and encodings that tests of the service are made of."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import soundfile
import soxr

from bundle.arrays import Float32
from tests.corpora import EXAMPLES

RATE = 16_000


@cache
def _recording() -> Float32:
    """Somebody reading for 9 s, 16 kHz."""
    path = EXAMPLES / "audio" / "1998" / "1998-15444-0002.opus"
    samples: Float32 = soundfile.read(path, dtype="float32")[0]
    return samples


def speech(seconds: float = 4.0, rate: int = RATE) -> Float32:
    """Real speech (n,), at most 8 s."""
    samples: Float32 = soxr.resample(_recording()[: int(seconds * RATE)], RATE, rate)
    return samples


def tone(seconds: float = 2.0, rate: int = RATE, hz: float = 440.0) -> Float32:
    """A sine (n,) with amplitude 0.5."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float = 2.0, rate: int = RATE) -> Float32:
    """White noise (n,), always the same, well within ±1."""
    return (0.1 * np.random.default_rng(0).standard_normal(int(seconds * rate))).astype(np.float32)


def encode(samples: Float32, rate: int = RATE, container: str = "WAV", subtype: str | None = None) -> bytes:
    """`samples` (n,) or (n, channels) as a file."""
    file = BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


@cache
def silent_flac(hours: float, rate: int = 8_000) -> bytes:
    """A FLAC file of silence, small for what it decodes to. Written in blocks of one minute."""
    file = BytesIO()
    minute = np.zeros(60 * rate, np.int16)
    with soundfile.SoundFile(file, "w", rate, 1, format="FLAC", subtype="PCM_16") as out:
        for _ in range(int(60 * hours)):
            out.write(minute)
    return file.getvalue()


def undeclare_flac_length(data: bytes) -> bytes:
    """Sets the 36-bit total in STREAMINFO to 0, unknown, as encoders do that write to a pipe."""
    return data[:21] + bytes([data[21] & 0xF0]) + bytes(4) + data[26:]
