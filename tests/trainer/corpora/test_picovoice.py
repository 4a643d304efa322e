from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.corpora.picovoice import recordings

WriteTone = Callable[[Path, float, float, int], None]


def test_both_benchmarks_or_one(tmp_path: Path, write_tone: WriteTone) -> None:
    wake_words = tmp_path / "wake-word-benchmark" / "audio"
    write_tone(wake_words / "alexa" / "0.flac", 200, 1.5, 0)
    write_tone(wake_words / "view glass" / "0.wav", 200, 1.5, 1)
    (wake_words / "alexa" / "README.md").touch()
    assert [(clip.clip, clip.speaker, clip.labels) for clip in recordings(tmp_path)] == [
        ("alexa_0", "", {"word": "alexa"}),
        ("view_glass_0", "", {"word": "view glass"}),
    ]
    write_tone(tmp_path / "speech-to-intent-benchmark/data/speech/clean/0075d273.wav", 200, 1.5, 2)
    assert [(clip.clip, clip.labels) for clip in recordings(tmp_path)][2:] == [("0075d273", {})]
