"""Picovoice's benchmarks (Apache-2.0): wake words and commands of more than 50 people, on their own devices.

The repositories are Picovoice/wake-word-benchmark and Picovoice/speech-to-intent-benchmark. Neither says who
speaks.
"""

from __future__ import annotations

from pathlib import Path

from trainer.audio.folders import AUDIO_SUFFIXES, DataError
from trainer.corpora.folder import CorpusRecording

WAKE_WORDS = Path("wake-word-benchmark") / "audio"
COMMANDS = Path("speech-to-intent-benchmark") / "data" / "speech" / "clean"


def recordings(root: Path) -> list[CorpusRecording]:
    """Every recording, without speaker, in the split `train`. Label: `word`, of wake words.

    Args:
        root: the folder that holds one of the two repositories, or both, under their own names.

    Raises:
        DataError: both are missing.
    """
    wake_words = [
        CorpusRecording(
            path, f"{path.parent.name.replace(' ', '_')}_{path.stem}", "", "train", {"word": path.parent.name}
        )
        for path in sorted((root / WAKE_WORDS).glob("*/*"))
        if path.suffix in AUDIO_SUFFIXES
    ]
    commands = [
        CorpusRecording(path, path.stem, "", "train") for path in sorted((root / COMMANDS).glob("*.wav"))
    ]
    if not wake_words and not commands:
        raise DataError(f"{root} holds neither {WAKE_WORDS}/WORD/*.wav nor {COMMANDS}/*.wav.")
    return wake_words + commands
