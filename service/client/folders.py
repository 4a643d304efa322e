"""A folder of recordings, as a person keeps one."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from service.client.answers import EnrolledAnswer
from service.client.errors import ClientError

AT_ONCE = 16  # files of one request
_NO_AUDIO = frozenset((".csv", ".json", ".lab", ".md", ".rttm", ".tsv", ".txt"))


@dataclass(frozen=True)
class EnrolOutcome:
    """What became of one person of a folder."""

    speaker_id: str
    done: int  # people of the folder so far, this one included
    people: int
    answer: EnrolledAnswer | None  # None: not enrolled by this call
    reason: str = ""  # why not
    complete: bool = False  # whether the person has all recordings of the folder, now or from before


def people_of(folder: Path) -> dict[str, list[Path]]:
    """Recordings by speaker id: `ann/1.wav` and `ann/2.wav` are of ann, and so is `ann.wav`.

    Hidden files, tables and texts are left out. Raises ClientError if nothing is left.
    """
    people: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if hidden or not path.is_file() or path.suffix.lower() in _NO_AUDIO:
            continue
        speaker_id = inside.parts[0] if len(inside.parts) > 1 else path.stem
        people.setdefault(speaker_id, []).append(path)
    if not people:
        raise ClientError(
            f"{folder} has no recordings. It needs a folder for each person, or a file for each."
        )
    return people


def packed(folder: Path) -> bytes:
    """The recordings of `people_of` as a zip. Raises ClientError."""
    with zipfile.ZipFile(data := io.BytesIO(), "w") as archive:
        for files in people_of(folder).values():
            for file in files:
                try:
                    archive.writestr(file.relative_to(folder).as_posix(), file.read_bytes())
                except OSError as error:
                    raise ClientError(f"{file} cannot be read: {error.strerror}.") from None
    return data.getvalue()
