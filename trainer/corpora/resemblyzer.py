"""The excerpt of LibriSpeech (CC BY 4.0) in the repository resemble-ai/Resemblyzer."""

from __future__ import annotations

from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

SPLITS = {"librispeech_train-clean-100": "train", "librispeech_test-other": "test"}  # folder to split


def recordings(root: Path) -> list[CorpusRecording]:
    """One utterance each of 251 speakers of train-clean-100 (`train`), ten of each of ten of test-other.

    Args:
        root: the folder that holds `audio_data`. Its interviews are left out: they are no LibriSpeech.

    Raises:
        DataError: one of the two parts is missing.
    """
    utterances = []
    for folder, split in SPLITS.items():
        files = sorted((root / "audio_data" / folder).rglob("*.flac"))
        if not files:
            raise DataError(
                f"{root / 'audio_data' / folder} holds no FLAC files. Give --root the repository Resemblyzer."
            )
        utterances += [CorpusRecording(file, file.stem, file.stem.partition("-")[0], split) for file in files]
    return utterances
