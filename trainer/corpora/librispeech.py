"""LibriSpeech (OpenSLR 12) through torchaudio's reader of its folder layout."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from torchaudio.datasets import LIBRISPEECH

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording


class Subset(StrEnum):
    """The parts of the corpus, by the names of their archives."""

    DEV_CLEAN = "dev-clean"
    DEV_OTHER = "dev-other"
    TEST_CLEAN = "test-clean"
    TEST_OTHER = "test-other"
    TRAIN_CLEAN_100 = "train-clean-100"
    TRAIN_CLEAN_360 = "train-clean-360"
    TRAIN_OTHER_500 = "train-other-500"


def recordings(root: Path, subset: Subset, *, download: bool = False) -> list[CorpusRecording]:
    """Every utterance of a subset. `train-*` becomes the split `train`, others `test`; no speaker is in both.

    Labels: `text`, and `gender` where the archive's SPEAKERS.TXT is there.

    Args:
        root: the folder that holds `LibriSpeech/<subset>/<speaker>/<chapter>/*.flac`.
        download: fetch and unpack the subset into `root` if it is not there (train-clean-100: 6.3 GB).

    Raises:
        DataError: the subset is missing or cannot be fetched.
    """
    if download:
        root.mkdir(parents=True, exist_ok=True)
    try:
        corpus = LIBRISPEECH(root, url=subset.value, download=download)
    except (RuntimeError, OSError) as error:
        raise DataError(f"{error} Give --root the folder above LibriSpeech/, or add --download.") from error
    genders = _genders(root / "LibriSpeech" / "SPEAKERS.TXT")
    split = "train" if subset.value.startswith("train") else "test"
    utterances = []
    for index in range(len(corpus)):
        # get_metadata, not indexing: the audio is read by soundfile, which needs no torchcodec.
        path, _, text, speaker, _, _ = corpus.get_metadata(index)
        source = root / "LibriSpeech" / path
        labels = {"text": text, **genders.get(str(speaker), {})}
        utterances.append(CorpusRecording(source, source.stem, str(speaker), split, labels))
    return utterances


def _genders(table: Path) -> dict[str, dict[str, str]]:
    """The label `gender`, f or m, by speaker, from lines `84 | F | dev-clean | …`; none without the table."""
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if not line.startswith(";")]
    return {row[0]: {"gender": row[1].lower()} for row in rows if len(row) > 1 and row[1] in {"F", "M"}}
