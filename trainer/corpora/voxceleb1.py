"""VoxCeleb1 (Nagrani et al. 2017): celebrities in interviews, as the public archives unpack.

torchaudio.datasets does not serve here. Its VoxCeleb1Identification puts every speaker into train and test,
and its VoxCeleb1Verification lists trials only. Neither knows gender or nationality. vox1_meta.csv has both,
and a split by speakers.
"""

from __future__ import annotations

import csv
from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

META = "vox1_meta.csv"
SPLITS = {"dev": "train", "test": "test"}
_COLUMNS = ("VoxCeleb1 ID", "Gender", "Nationality", "Set")


def recordings(root: Path) -> list[CorpusRecording]:
    """Every utterance under `root`. The Set `dev` becomes the split `train`; no speaker is in both.

    Args:
        root: the folder that holds `wav/<speaker>/<video>/<number>.wav` and `vox1_meta.csv`. One of the two
            parts, vox1_dev_wav and vox1_test_wav, is enough.

    Raises:
        DataError: `wav` or vox1_meta.csv is missing, or vox1_meta.csv lacks a speaker of the folder.
    """
    wav = root / "wav"
    if not wav.is_dir():
        raise DataError(
            f"{wav} is not a folder. Unpack vox1_dev_wav.zip or vox1_test_wav.zip, and "
            "give --root the folder above wav/."
        )
    speakers = _read_meta(root / META)
    utterances = []
    for source in sorted(wav.glob("*/*/*.wav")):
        speaker, video = source.parts[-3:-1]
        if speaker not in speakers:
            raise DataError(f"{META} does not list {wav / speaker}: get the file from VoxCeleb's site again.")
        split, labels = speakers[speaker]
        utterances.append(CorpusRecording(source, f"{video}-{source.stem}", speaker, split, labels))
    if not utterances:
        raise DataError(f"{wav} holds no SPEAKER/VIDEO/NUMBER.wav.")
    return utterances


def _read_meta(path: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Split and labels of each speaker."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))  # tabs, for all its name
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Get it from VoxCeleb's site and put it next to wav/."
        ) from error
    try:
        return {
            speaker: (SPLITS[part], {"gender": gender, "nationality": nationality})
            for speaker, gender, nationality, part in ([row[name] for name in _COLUMNS] for row in rows)
        }
    except KeyError as error:
        raise DataError(
            f"{path} is not as published: {error} is missing or unknown. It has tab-separated columns "
            f"{', '.join(_COLUMNS)}; Set is {' or '.join(SPLITS)}."
        ) from error
