from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.performance.material import WAV_S, WAVS, speech


def test_cuts_wavs_and_crops_out_of_a_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(3):
        soundfile.write(tmp_path / f"{index}.flac", 0.1 * rng.normal(size=50_000), 16_000)
    crops, wavs = speech(tmp_path)
    assert crops.shape[0] >= 64
    assert crops.shape[1] == 16384
    assert len(wavs) == WAVS
    for wav in wavs:
        info = soundfile.info(io.BytesIO(wav))
        assert (info.duration, info.samplerate, info.subtype) == (WAV_S, 16_000, "PCM_16")
