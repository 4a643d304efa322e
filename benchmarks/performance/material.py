"""Real speech to measure with."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import contiguous_crops, read_audio, read_folder

WAV_S = 10
WAVS = 8


def speech(data_dir: Path) -> tuple[Float32, list[bytes]]:
    """Crops (64 and more, 16384) and `WAVS` 16-bit WAV files of `WAV_S` seconds from a folder of speech.

    Raises:
        DataError: the folder cannot be read.
    """
    wanted = WAVS * WAV_S * SAMPLE_RATE_HZ
    pieces: list[Float32] = []
    for clip in read_folder(data_dir):
        pieces.append(read_audio(clip.path))
        if sum(piece.size for piece in pieces) >= wanted:
            break
    samples = np.resize(np.concatenate(pieces), wanted)
    wavs = []
    for piece in np.split(samples, WAVS):
        buffer = io.BytesIO()
        soundfile.write(buffer, piece, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
        wavs.append(buffer.getvalue())
    return contiguous_crops(samples), wavs
