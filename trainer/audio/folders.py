"""Folders of speech → clips → 16 kHz samples → 1.024 s crops.

A folder is read in the first of three ways that fits:

1. `metadata.tsv` with at least the column `path` (docs/data.md lists the others: `speaker`, `split`,
   `seconds`, …);
2. plain folders `<speaker>/<file>`;
3. audio files directly in the folder, unlabelled (speaker "").
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"})


class DataError(Exception):
    """A folder or file that cannot be read as audio; the message says what was expected."""


@dataclass(frozen=True)
class Clip:
    """One recording on disk. `speaker` is "" if unknown."""

    path: Path
    speaker: str
    split: str = ""
    corpus: str = ""  # name of the folder it was read from
    labels: dict[str, str] = field(default_factory=dict)


def read_folder(folder: Path, split: str | None = None) -> list[Clip]:
    """The clips of a folder, sorted by path.

    Args:
        folder: see the module's docstring.
        split: keep only the rows of this split (`train` or `test`); needs a metadata.tsv.

    Raises:
        DataError: no such folder, no audio in it, or a metadata.tsv without the column `path`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder.")
    table = folder / "metadata.tsv"
    if table.is_file():
        clips = _read_table(table)
        if split is not None:
            clips = [clip for clip in clips if clip.split == split]
    elif split is not None:
        raise DataError(f"{folder} has no metadata.tsv, so no split '{split}': leave the split out.")
    else:
        clips = [
            Clip(path, path.parent.name if path.parent != folder else "", corpus=folder.resolve().name)
            for path in folder.rglob("*")
            if path.suffix.lower() in AUDIO_SUFFIXES
        ]
    if not clips:
        wanted = f" of split '{split}'" if split else ""
        raise DataError(
            f"No audio{wanted} in {folder}: expected metadata.tsv, <speaker>/<file> or plain audio files."
        )
    return sorted(clips, key=lambda clip: clip.path)


def _read_table(table: Path) -> list[Clip]:
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if "path" not in (reader.fieldnames or ()):
            raise DataError(f"{table} needs a column 'path'; it has {reader.fieldnames}.")
        return [
            Clip(
                path=table.parent / row["path"],
                speaker=row.get("speaker") or "",
                split=row.get("split") or "",
                corpus=table.parent.resolve().name,
                labels={k: v for k, v in row.items() if k not in {"path", "speaker", "split"} and v},
            )
            for row in reader
        ]


def read_clips(data: Sequence[Path], split: str | None) -> list[Clip]:
    """The clips of several folders, one folder after the other."""
    return [clip for folder in data for clip in read_folder(folder, split)]


def read_noise(folder: Path, split: str | None) -> list[Clip]:
    """Clips of noise. Of a folder with splits, only the split of the speech: test noise is for testing."""
    clips = read_folder(folder)
    return [clip for clip in clips if split is None or clip.split in {"", split}]


def read_audio(path: Path) -> Float32:
    """A file as 16 kHz mono samples, shape (samples,).

    Raises:
        DataError: the file cannot be decoded, is empty, or holds NaN or infinite samples.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"{path}: {error}") from error
    mono = samples.mean(axis=1)
    if mono.size == 0 or not np.isfinite(mono).all():
        raise DataError(f"{path}: it is empty, or holds samples that are NaN or infinite.")
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono, dtype=np.float32)


def contiguous_crops(samples: Float32) -> Float32:
    """The whole crops of a recording from its start, without overlap: (samples,) → (crops, 16384)."""
    n = samples.size // CROP_SAMPLES
    return samples[: n * CROP_SAMPLES].reshape(n, CROP_SAMPLES)


def fill_crop(samples: Float32) -> Float32:
    """Repeats a recording shorter than a crop until it fills one: (samples,) → (max(samples, 16384),)."""
    return np.resize(samples, max(samples.size, CROP_SAMPLES))
