"""Precise-Community-Data (github.com/MycroftAI): wake words that people gave to the public domain.

A contribution has a licence of its own: a file in `licenses` that names its recordings. What none of them
names is left out. So is `heysavant`, whose licence forbids commercial use.
"""

from __future__ import annotations

from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

PUBLIC_DOMAIN = "into the public domain"  # what a licence has to say


def recordings(root: Path) -> list[CorpusRecording]:
    """Every public-domain recording of speech, without speaker, in the split `train`. Label: `word`.

    Args:
        root: the folder that holds `licenses/*.txt` and `<word>/<language>/*.wav`.

    Raises:
        DataError: a licence or every recording is missing.
    """
    names = _public_domain(root / "licenses")
    words = [
        CorpusRecording(path, path.stem, "", "train", _labels(path.parent.parent.name))
        for path in sorted(root.glob("*/*/*.wav"))
        if path.name in names and path.parent.name != "noises"
    ]
    if not words:
        raise DataError(f"{root} holds no WORD/LANGUAGE/*.wav that a file of licenses/ names.")
    return words


def _labels(folder: str) -> dict[str, str]:
    return {} if folder == "not-wake-words" else {"word": folder}


def _public_domain(folder: Path) -> set[str]:
    """The names of the files that licences put into the public domain."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.txt")]
    lines = [line.strip() for text in texts if PUBLIC_DOMAIN in text for line in text.splitlines()]
    names = {line.rpartition("/")[2] for line in lines if line.endswith(".wav")}
    if not names:
        raise DataError(f"{folder} holds no licence that names a recording. Clone the repository again.")
    return names
