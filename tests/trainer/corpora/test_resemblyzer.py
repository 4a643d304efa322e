from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.corpora.resemblyzer import recordings

WriteTone = Callable[[Path, float, float, int], None]


def test_the_folders_are_the_splits(tmp_path: Path, write_tone: WriteTone) -> None:
    audio = tmp_path / "audio_data"
    write_tone(audio / "librispeech_train-clean-100/103-1240-0000.flac", 200, 1.5, 0)
    write_tone(audio / "librispeech_test-other/1688/1688-142285-0001.flac", 200, 1.5, 1)
    write_tone(audio / "somebody/real/interview.flac", 200, 1.5, 2)
    assert [(clip.clip, clip.speaker, clip.split) for clip in recordings(tmp_path)] == [
        ("103-1240-0000", "103", "train"),
        ("1688-142285-0001", "1688", "test"),
    ]
