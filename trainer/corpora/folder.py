"""Writes recordings as the folder format: metadata.tsv and audio/<speaker>/<clip>.opus, mono, 16 kHz."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import DataError, read_audio

COLUMNS = ("path", "speaker", "split", "seconds")
_BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True)
class CorpusRecording:
    """One file of a corpus: where it lies, and how metadata.tsv will list it."""

    source: Path
    clip: str  # name without suffix, unique within the speaker
    speaker: str
    split: str  # "train" or "test"
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WriteReport:
    """Counts of clips after writing a corpus."""

    written: int
    existing: int  # already there from an earlier run
    skipped: list[str]  # why a file was left out, one line a file


def write_folder(
    recordings: Iterable[CorpusRecording], out: Path, *, on_clip: Callable[[], None] | None = None
) -> WriteReport:
    """Adds recordings to a folder, which may hold others already, and lists them all in its metadata.tsv.

    Clips of an earlier, interrupted run stay: a clip gets its name only once it is whole. metadata.tsv is
    replaced at the end in one step. The report names files that cannot be read; they stop nothing.

    Args:
        on_clip: called after each recording, for a progress bar.
    """
    table = out / "metadata.tsv"
    rows = read_rows(table)
    written, existing, skipped = 0, 0, []
    for recording in recordings:
        relative = Path("audio") / recording.speaker / f"{recording.clip}.opus"
        try:
            if (out / relative).is_file():
                existing += 1
            else:
                _encode(recording.source, out / relative)
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


def _encode(source: Path, target: Path) -> None:
    samples = read_audio(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with soundfile.SoundFile(partial, "w", SAMPLE_RATE_HZ, channels=1, format="OGG", subtype="OPUS") as file:
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
