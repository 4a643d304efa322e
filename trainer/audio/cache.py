"""Clips decoded once: one flat, memory-mapped file of 16 kHz samples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.folders import Clip, DataError, fill_crop, read_audio


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

    def clip(self, index: int) -> Float32:
        """One clip as float samples in [-1, 1], shape (samples,)."""
        return self.piece(index, 0, int(self.lengths[index]))

    def piece(self, index: int, start: int, count: int) -> Float32:
        """`count` samples of a clip from `start` on, or as many as there are."""
        begin, end = int(self.offsets[index]) + start, int(self.offsets[index + 1])
        return self.samples[begin : min(begin + count, end)].astype(np.float32) / 32768.0

    def crop(self, index: int, start: int) -> Float32:
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

    Files that cannot be read are named through `warn` and left out. Paths, sizes and modification times of
    the files are the key, so a changed file makes a new cache. It is written whole or not at all.

    Raises:
        DataError: none of the clips can be read.
    """
    key = hashlib.sha256()
    for clip in clips:
        stat = clip.path.stat() if clip.path.exists() else None
        key.update(f"{clip.path.resolve()} {stat and (stat.st_size, stat.st_mtime_ns)}\n".encode())
    folder = Path(cache_dir) / key.hexdigest()[:16]
    if not (folder / "index.json").is_file():
        _write_cache(clips, folder, warn, progress)
    index = json.loads((folder / "index.json").read_text())
    readable = [clips[i] for i in index["kept"]]
    if not readable:
        raise DataError(f"None of the {len(clips)} files can be read: give WAV, FLAC, Ogg or MP3.")
    samples = np.memmap(folder / "samples.i16", dtype=np.int16, mode="r")
    return ClipCache(samples, np.asarray(index["offsets"], dtype=np.int64), readable)


def _write_cache(
    clips: Sequence[Clip], folder: Path, warn: Callable[[str], None], progress: Progress | None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    offsets, readable = [0], []
    with (folder / "samples.i16").open("wb") as out:
        for i, clip in enumerate(clips):
            try:
                audio = read_audio(clip.path)
            except DataError as error:
                warn(f"skipped {error}")
            else:
                (np.clip(audio, -1, 32767 / 32768) * 32768).astype("<i2").tofile(out)
                offsets.append(offsets[-1] + audio.size)
                readable.append(i)
            if progress is not None:
                progress(i + 1, len(clips))
    # The index is renamed into place last: without it the folder does not count as a cache.
    partial = folder / "index.json.partial"
    partial.write_text(json.dumps({"offsets": offsets, "kept": readable}))
    partial.replace(folder / "index.json")
