"""Writes recordings as the folder format: metadata.tsv and audio/<speaker>/<clip>.opus, mono, 16 kHz.

Lossless, the clips are FLAC of 16 bits.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import DataError, read_audio
from trainer.corpora.silence import is_silent, trim_silence

COLUMNS = ("path", "speaker", "split", "seconds")
_BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True)
class CorpusRecording:
    """One clip of a corpus: the file or files that it is made of, and how metadata.tsv will list it."""

    source: Path
    clip: str  # name without suffix, unique within the speaker
    speaker: str  # "" if unknown
    split: str  # "train" or "test"
    labels: dict[str, str] = field(default_factory=dict)
    following: tuple[Path, ...] = ()  # files of the same session, joined to `source` in this order
    trimmed: bool = False  # each file without its silent edges


@dataclass(frozen=True)
class WriteReport:
    """Counts of clips after writing a corpus."""

    written: int
    existing: int  # already there from an earlier run
    skipped: list[str]  # why a file was left out, one line a file


def write_folder(
    recordings: Iterable[CorpusRecording],
    out: Path,
    *,
    lossless: bool = False,
    min_s: float = 0.0,
    on_clip: Callable[[], None] | None = None,
) -> WriteReport:
    """Adds recordings to a folder, which may hold others already, and lists them all in its metadata.tsv.

    Clips of an earlier, interrupted run stay: a clip gets its name only once it is whole. metadata.tsv is
    replaced at the end in one step. The report names files that cannot be read; they stop nothing.

    Args:
        lossless: FLAC instead of Opus.
        min_s: a clip that is shorter, or silent, is named in the report and left out. 0 keeps all.
        on_clip: called after each recording, for a progress bar.
    """
    table = out / "metadata.tsv"
    rows = read_rows(table)
    suffix = "flac" if lossless else "opus"
    written, existing, skipped = 0, 0, []
    for recording in recordings:
        relative = Path("audio") / recording.speaker / f"{recording.clip}.{suffix}"
        try:
            if (out / relative).is_file():
                existing += 1
            else:
                _encode(_read(recording, min_s), out / relative)
                written += 1
        except DataError as error:
            skipped.append(str(error))
        else:
            rows[relative.as_posix()] = {
                "path": relative.as_posix(),
                "speaker": recording.speaker,
                "split": recording.split,
                "seconds": f"{soundfile.info(out / relative).duration:.3f}",
                **{name: _one_line(value) for name, value in recording.labels.items()},
            }
        if on_clip is not None:
            on_clip()
    write_rows(table, rows)
    return WriteReport(written, existing, skipped)


def _read(recording: CorpusRecording, min_s: float) -> Float32:
    """The samples of a clip, shape (samples,)."""
    files = [read_audio(path) for path in (recording.source, *recording.following)]
    samples = np.concatenate([trim_silence(file) for file in files] if recording.trimmed else files)
    if min_s:
        if is_silent(samples):
            raise DataError(f"{recording.source}: it is silent.")
        if samples.size < min_s * SAMPLE_RATE_HZ:
            raise DataError(f"{recording.source}: {samples.size / SAMPLE_RATE_HZ:.1f} s are too short.")
    return samples


def _encode(samples: Float32, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    form, subtype = ("FLAC", "PCM_16") if target.suffix == ".flac" else ("OGG", "OPUS")
    with soundfile.SoundFile(partial, "w", SAMPLE_RATE_HZ, channels=1, format=form, subtype=subtype) as file:
        for start in range(0, samples.size, _BLOCK_SAMPLES):
            file.write(samples[start : start + _BLOCK_SAMPLES])
    partial.replace(target)


def read_rows(table: Path) -> dict[str, dict[str, str]]:
    """The rows of a metadata.tsv by their path, without their empty fields; none if there is no such file."""
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["path"]: {name: value for name, value in row.items() if value} for row in rows}


def write_rows(table: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    """Writes a metadata.tsv of rows by their path in one step. Columns beside `COLUMNS` are labels."""
    labels = sorted({name for row in rows.values() for name in row} - set(COLUMNS))
    table.parent.mkdir(parents=True, exist_ok=True)
    partial = table.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(
            file,
            [*COLUMNS, *labels],
            restval="",
            delimiter="\t",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
            quotechar=None,
        )
        writer.writeheader()
        writer.writerows(rows[path] for path in sorted(rows))
    partial.replace(table)


def _one_line(value: str) -> str:
    """Tabs and line breaks would end a field of the unquoted table."""
    return " ".join(value.split())
