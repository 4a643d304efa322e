from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.corpora.precise import recordings

WriteTone = Callable[[Path, float, float, int], None]

LICENCE = "I, Ann, place any and all contributions by me into the public domain.\n\nFiles:\n"


def test_only_what_a_licence_gives_to_the_public_domain(tmp_path: Path, write_tone: WriteTone) -> None:
    for path in ("athena/en/a.wav", "athena/en/b.wav", "athena/en/c.wav", "not-wake-words/en/n.wav"):
        write_tone(tmp_path / path, 200, 1.5, 0)
    write_tone(tmp_path / "not-wake-words/noises/hum.wav", 200, 1.5, 0)
    write_tone(tmp_path / "heysavant/wake-word/en/a.wav", 200, 1.5, 0)  # the name of one that is free
    (tmp_path / "licenses").mkdir()
    (tmp_path / "licenses/ann.txt").write_text(LICENCE + "athena/en/a.wav\nn.wav\nhum.wav\n")
    (tmp_path / "licenses/ben.txt").write_text("CC BY-NC 4.0\nathena/en/b.wav\n")
    clips = recordings(tmp_path)
    assert [(clip.clip, clip.speaker, clip.labels) for clip in clips] == [
        ("a", "", {"word": "athena"}),
        ("n", "", {}),
    ]
