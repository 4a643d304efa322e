"""Speech Commands 0.02 (Warden 2018) through torchaudio's reader; S09 is its ten digits."""

from __future__ import annotations

from pathlib import Path

from torchaudio.datasets import SPEECHCOMMANDS

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

# Each speaker is in one subset only: choices can be made on the validation speakers.
SPLITS = {"training": "train", "validation": "train", "testing": "test"}

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def recordings(root: Path, *, digits: bool = False, download: bool = False) -> list[CorpusRecording]:
    """Every word. The archive's testing_list.txt becomes the split `test`, the rest `train`.

    Labels: `word`, and `subset` as the archive's lists have it (training, validation, testing).

    Args:
        root: the folder that holds `SpeechCommands/speech_commands_v0.02/<word>/*.wav` and the two lists.
        digits: only zero to nine, the dataset S09 (GAAE, section IV-A).
        download: fetch and unpack it into `root` if it is not there (2.4 GB).

    Raises:
        DataError: it is missing, cannot be fetched, or lacks a list.
    """
    if download:
        root.mkdir(parents=True, exist_ok=True)
    words = []
    for subset, split in SPLITS.items():
        try:
            corpus = SPEECHCOMMANDS(root, subset=subset, download=download)
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{error} Give --root the folder above SpeechCommands/, or add --download."
            ) from error
        for index in range(len(corpus)):
            # get_metadata, not indexing: the audio is read by soundfile, which needs no torchcodec.
            path, _, word, speaker, number = corpus.get_metadata(index)
            if digits and word not in DIGITS:
                continue
            source = root / "SpeechCommands" / path
            labels = {"word": word, "subset": subset}
            words.append(CorpusRecording(source, f"{word}-{number}", speaker, split, labels))
    if not words:
        raise DataError(f"{root / 'SpeechCommands'} holds no <word>/<speaker>_nohash_<number>.wav.")
    return words
