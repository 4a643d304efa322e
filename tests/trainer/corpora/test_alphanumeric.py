from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.corpora.alphanumeric import recordings

WriteTone = Callable[[Path, float, float, int], None]


def test_three_recordings_a_speaker_with_what_the_table_tells(tmp_path: Path, write_tone: WriteTone) -> None:
    table = "Response_ID,file_name,Age,Gender\nR_1a,x.wav,24,Female\nR_2b,y.wav,,Non-binary\n"
    (tmp_path / "metadata.csv").write_text(table, encoding="utf-8-sig")
    for folder in ("Names", "Numbers", "Addresses"):
        for speaker in ("R_1a", "R_2b"):
            write_tone(tmp_path / "audio_data" / folder / f"{speaker}.wav", 200, 1.5, 0)
    clips = recordings(tmp_path)
    assert [(clip.speaker, clip.clip, clip.labels) for clip in clips[:3]] == [
        ("R_1a", "name", {"kind": "name", "age": "24", "gender": "f"}),
        ("R_2b", "name", {"kind": "name"}),
        ("R_1a", "number", {"kind": "number", "age": "24", "gender": "f"}),
    ]
    assert len(clips) == 6
    assert {clip.split for clip in clips} == {"train"}
