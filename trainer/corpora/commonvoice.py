"""Common Voice (commonvoice.mozilla.org, CC0): volunteers read sentences on their own devices.

Its releases are one folder a language. Copies of parts lie in public repositories in the same form:
omnilingo/rsample-100-cv-corpus-6.1-2020-12-11 has 100 clips each of 60 languages.
"""

from __future__ import annotations

import csv
from collections import Counter
from hashlib import sha256
from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

TEST_TABLES = {"dev.tsv", "test.tsv"}
_GENDERS = {"female": "f", "female_feminine": "f", "male": "m", "male_masculine": "m"}


def recordings(root: Path, *, per_speaker: int = 400) -> list[CorpusRecording]:
    """Every clip that a table lists and that is there. Speakers of dev.tsv and test.tsv are the split `test`.

    Also clips of invalidated.tsv are taken: what is wrong there is the text. A speaker is called by a hash of
    its client_id. Labels: `language`, `text`, and `gender` where it is f or m.

    Args:
        root: a folder with `clips/*.mp3` and tables `*.tsv`, or a folder of such folders.
        per_speaker: at most so many clips, since a few volunteers gave thousands.

    Raises:
        DataError: there is no clip that a table lists.
    """
    clips = [
        clip for folder in sorted(root.rglob("clips/")) for clip in _read_language(folder.parent, per_speaker)
    ]
    if not clips:
        raise DataError(
            f"{root} holds no clips/*.mp3 beside a validated.tsv with the columns client_id and path."
        )
    return clips


def _read_language(folder: Path, per_speaker: int) -> list[CorpusRecording]:
    tables = {table.name: _read_table(table) for table in sorted(folder.glob("*.tsv"))}
    test_clients = {row["client_id"] for name in TEST_TABLES & tables.keys() for row in tables[name]}
    clips: dict[str, CorpusRecording] = {}
    counts: Counter[str] = Counter()
    for row in (row for rows in tables.values() for row in rows):
        source, client = folder / "clips" / row["path"], row["client_id"]
        if source.stem in clips or counts[client] == per_speaker or not source.is_file():
            continue
        counts[client] += 1
        clips[source.stem] = CorpusRecording(
            source,
            source.stem,
            sha256(client.encode()).hexdigest()[:10],
            "test" if client in test_clients else "train",
            _labels(row),
            trimmed=True,
        )
    return [clips[name] for name in sorted(clips)]


def _read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of clips; none of another table, such as reported.tsv."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return list(rows) if {"client_id", "path"} <= set(rows.fieldnames or ()) else []


def _labels(row: dict[str, str]) -> dict[str, str]:
    labels = {
        "language": row.get("locale"),
        "text": row.get("sentence"),
        "gender": _GENDERS.get(row.get("gender") or ""),
    }
    return {name: value for name, value in labels.items() if value}
