"""speechocean762 (Zhang et al. 2021, openslr.org/101): Mandarin speakers read English.

Half of them are children. The corpus is free for commercial and non-commercial use.
"""

from __future__ import annotations

from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

SPLITS = ("train", "test")


def recordings(root: Path) -> list[CorpusRecording]:
    """Every utterance, 20 a speaker, in the corpus's own split by speakers. Labels: gender, age and text.

    Args:
        root: the folder that holds `WAVE/SPEAKER<speaker>/<utterance>.WAV`, `train` and `test`, as the
            repository jimbozhang/speechocean762 and the archive of openslr.org do.

    Raises:
        DataError: a table is missing, or lacks an utterance of another table.
    """
    return [utterance for split in SPLITS for utterance in _read_split(root, split)]


def _read_split(root: Path, split: str) -> list[CorpusRecording]:
    files, speakers, texts, genders, ages = (
        _read_table(root / split / name) for name in ("wav.scp", "utt2spk", "text", "spk2gender", "spk2age")
    )
    try:
        return [
            CorpusRecording(
                root / path,
                utterance,
                speakers[utterance],
                split,
                {
                    "gender": genders[speakers[utterance]],
                    "age": ages[speakers[utterance]],
                    "text": texts[utterance].lower(),
                },
            )
            for utterance, path in files.items()
        ]
    except KeyError as error:
        raise DataError(
            f"{root / split} is not as published: a table lacks {error}. Get it again."
        ) from error


def _read_table(path: Path) -> dict[str, str]:
    """A table of Kaldi: lines of a key, white space and a value."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). "
            "Give --root the folder that holds WAVE/, train/ and test/."
        ) from error
    return {key: value for key, _, value in (line.replace("\t", " ").partition(" ") for line in lines)}
