"""Folders of speech → clips → one flat cache of 16 kHz samples → 1.024 s crops.

A folder is read in one of three ways, the first that fits:

1. `metadata.tsv` with at least the column `path` (the format of the data README: `speaker`, `split`,
`seconds`, …);
2. plain folders `<speaker>/<file>`;
3. audio files lying directly in the folder, unlabelled (speaker "").
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
CROP_SAMPLES = 16_384  # 64 frames of 256 samples, 1.024 s (Autodecompose, section V-A)
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"})


class DataError(Exception):
    """A folder that cannot be read as speech; the message says what was expected."""


@dataclass(frozen=True)
class Clip:
    """One recording on disk. `speaker` is "" where it is not known."""

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
        raise DataError(f"{folder} has no metadata.tsv, so it has no split '{split}': leave the split out.")
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


def read_audio(path: Path) -> NDArray[np.float32]:
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
        raise DataError(f"{path}: no samples, or samples that are not numbers.")
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono, dtype=np.float32)


def contiguous_crops(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The whole crops of a recording, from its start, without overlap: (samples,) → (crops, 16384)."""
    n = samples.size // CROP_SAMPLES
    return samples[: n * CROP_SAMPLES].reshape(n, CROP_SAMPLES)


def fill_crop(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeats a recording shorter than a crop until it fills one: no silence is invented."""
    return np.resize(samples, max(samples.size, CROP_SAMPLES))


@dataclass(frozen=True)
class ClipCache:
    """Every sample of a set of clips in one memory-mapped file.

    Attributes:
        samples: (total samples,) int16 at 16 kHz.
        offsets: (clips + 1,) where each clip starts and ends in `samples`.
        clips: the clips that could be read, in the order of `offsets`.
    """

    samples: NDArray[np.int16]
    offsets: NDArray[np.int64]
    clips: list[Clip]

    def __len__(self) -> int:
        return len(self.clips)

    def clip(self, index: int) -> NDArray[np.float32]:
        """One clip as float samples in [-1, 1], shape (samples,)."""
        return self.piece(index, 0, int(self.lengths[index]))

    def piece(self, index: int, start: int, count: int) -> NDArray[np.float32]:
        """`count` samples of a clip from `start` on, or as many as there are."""
        begin, end = int(self.offsets[index]) + start, int(self.offsets[index + 1])
        return self.samples[begin : min(begin + count, end)].astype(np.float32) / 32768.0

    def crop(self, index: int, start: int) -> NDArray[np.float32]:
        """16384 samples of a clip from `start` on; a shorter clip is repeated to fill them."""
        return fill_crop(self.piece(index, start, CROP_SAMPLES))

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(clips,) in samples."""
        return np.diff(self.offsets)

    @property
    def hours(self) -> float:
        return self.samples.size / SAMPLE_RATE_HZ / 3600


Progress = Callable[[int, int], None]  # (clips done, clips in all)


def build_cache(
    clips: Sequence[Clip], cache_dir: Path, *, warn: Callable[[str], None], progress: Progress | None = None
) -> ClipCache:
    """Decodes clips once into `cache_dir`, or opens what an earlier call left there for the same files.

    Files that cannot be read are named through `warn` and left out. The cache is keyed by the paths, sizes
    and modification times of the files, so a changed file makes a new one; it is written whole or not at all.

    Raises:
        DataError: not one of the clips could be read.
    """
    key = hashlib.sha256()
    for clip in clips:
        stat = clip.path.stat() if clip.path.exists() else None
        key.update(f"{clip.path.resolve()} {stat and (stat.st_size, stat.st_mtime_ns)}\n".encode())
    folder = Path(cache_dir) / key.hexdigest()[:16]
    if not (folder / "index.json").is_file():
        _write_cache(clips, folder, warn, progress)
    index = json.loads((folder / "index.json").read_text())
    kept = [clips[i] for i in index["kept"]]
    if not kept:
        raise DataError(f"None of the {len(clips)} files could be read.")
    samples = np.memmap(folder / "samples.i16", dtype=np.int16, mode="r")
    return ClipCache(samples, np.asarray(index["offsets"], dtype=np.int64), kept)


def _write_cache(
    clips: Sequence[Clip], folder: Path, warn: Callable[[str], None], progress: Progress | None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    offsets, kept = [0], []
    with (folder / "samples.i16").open("wb") as out:
        for i, clip in enumerate(clips):
            try:
                audio = read_audio(clip.path)
            except DataError as error:
                warn(f"skipped {error}")
            else:
                (np.clip(audio, -1, 32767 / 32768) * 32768).astype("<i2").tofile(out)
                offsets.append(offsets[-1] + audio.size)
                kept.append(i)
            if progress is not None:
                progress(i + 1, len(clips))
    # The index is renamed into place last: a cache without it is not a cache.
    partial = folder / "index.json.partial"
    partial.write_text(json.dumps({"offsets": offsets, "kept": kept}))
    partial.replace(folder / "index.json")
