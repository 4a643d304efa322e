"""Alphanumeric Audio Dataset (github.com/Sakshee5/alphanumeric-audio-dataset, MIT).

70 students, most of them no native speakers of English, recorded themselves on devices of their own. Each
spelt out a made-up name, and read a phone number and an address.
"""

from __future__ import annotations

import csv
from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

KINDS = {"Names": "name", "Numbers": "number", "Addresses": "address"}  # folder to kind
_GENDERS = {"Female": "f", "Male": "m"}


def recordings(root: Path) -> list[CorpusRecording]:
    """Three recordings a speaker, in the split `train`. Labels: `kind`, and `age` and `gender` where told.

    Args:
        root: the folder that holds `metadata.csv` and `audio_data/<folder>/<speaker>.wav`.

    Raises:
        DataError: the table or every recording is missing.
    """
    table = root / "metadata.csv"
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = {row["Response_ID"]: row for row in csv.DictReader(file)}
    except OSError as error:
        raise DataError(f"{table} cannot be read ({error.strerror}). Clone the repository again.") from error
    except KeyError as error:
        raise DataError(f"{table} is not as published: it lacks {error}.") from error
    clips = []
    for folder, kind in KINDS.items():
        for path in sorted((root / "audio_data" / folder).glob("*.wav")):
            row = rows.get(path.stem, {})
            labels = {"age": row.get("Age", ""), "gender": _GENDERS.get(row.get("Gender", ""), "")}
            told = {name: value for name, value in labels.items() if value}
            clips.append(CorpusRecording(path, kind, path.stem, "train", {"kind": kind, **told}))
    if not clips:
        raise DataError(f"{root / 'audio_data'} holds none of {', '.join(KINDS)} with WAV files.")
    return clips
