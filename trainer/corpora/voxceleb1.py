"""VoxCeleb1 (Nagrani et al. 2017): celebrities in interviews, as the public archives unpack.

Not through torchaudio.datasets: its VoxCeleb1Identification splits by iden_split.txt, which puts every
speaker into train and test, VoxCeleb1Verification lists trials only, and neither knows gender or nationality.
All of that, and a split by speakers, is in vox1_meta.csv.
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
    """Every utterance under `root`; the Set `dev` becomes the split `train` (no speaker is in both).

    Args:
        root: the folder that holds `wav/<speaker>/<video>/<number>.wav` and `vox1_meta.csv`. One of the two
            parts, vox1_dev_wav and vox1_test_wav, is enough.

    Raises:
        DataError: the folder or the file is not there, or the file does not name a speaker of the folder.
    """
    wav = root / "wav"
    if not wav.is_dir():
        raise DataError(
            f"{wav} is no folder. Unpack vox1_dev_wav.zip or vox1_test_wav.zip, and give --root the folder "
            "above wav/."
        )
    speakers = _read_meta(root / META)
    found = []
    for source in sorted(wav.glob("*/*/*.wav")):
        speaker, video = source.parts[-3:-1]
        if speaker not in speakers:
            raise DataError(f"{META} names no speaker {speaker}, but {wav / speaker} is there: get it again.")
        split, labels = speakers[speaker]
        found.append(CorpusRecording(source, f"{video}-{source.stem}", speaker, split, labels))
    if not found:
        raise DataError(f"{wav} holds no SPEAKER/VIDEO/NUMBER.wav.")
    return found


def _read_meta(path: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Split and labels of each speaker."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))  # tabs, for all its name
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Get it from VoxCeleb's site, and put it next to wav/."
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
