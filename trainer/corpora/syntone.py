"""SynTone on disk: the folder format with one label column a factor, as lossless FLAC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from trainer.corpora.folder import WriteReport, read_rows, write_rows
from trainer.syntone.dataset import CLIP_SAMPLES, SAMPLE_RATE_HZ, TIMBRES, SynTone

_BATCH = 400


def write_syntone(grid: SynTone, out: Path, *, on_clip: Callable[[], None] | None = None) -> WriteReport:
    """Writes metadata.tsv and audio/TIMBRE/AMPLITUDE_FREQUENCY.flac (16 bits). Clips already there stay.

    The label columns are `timbre`, `amplitude` and `frequency_hz`; `speaker` is empty, `split` is train.
    """
    table = out / "metadata.tsv"
    rows = read_rows(table)
    written = 0
    for start in range(0, len(grid), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(grid)))
        for samples, (timbre, amplitude, frequency_hz) in zip(
            grid.clips(indices), grid.factors[indices], strict=True
        ):
            name = TIMBRES[int(timbre)]
            path = f"audio/{name}/{amplitude:.3f}_{frequency_hz:07.2f}hz.flac"
            if not (out / path).is_file():
                (out / path).parent.mkdir(parents=True, exist_ok=True)
                partial = (out / path).with_suffix(".partial")
                soundfile.write(partial, samples, SAMPLE_RATE_HZ, "PCM_16", format="FLAC")
                partial.replace(out / path)
                written += 1
            rows[path] = {
                "path": path,
                "speaker": "",
                "split": "train",
                "seconds": f"{CLIP_SAMPLES / SAMPLE_RATE_HZ:.3f}",
                "timbre": name,
                "amplitude": f"{amplitude:.6f}",
                "frequency_hz": f"{frequency_hz:.6f}",
            }
            if on_clip is not None:
                on_clip()
    write_rows(table, rows)
    return WriteReport(written, len(grid) - written, [])
