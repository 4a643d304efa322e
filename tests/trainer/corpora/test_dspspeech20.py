from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.audio.folders import read_folder
from trainer.corpora.dspspeech20 import recordings
from trainer.corpora.folder import write_folder

WriteTone = Callable[[Path, float, float, int], None]


def test_ten_different_words_of_a_take_make_a_clip(tmp_path: Path, write_tone: WriteTone) -> None:
    student = tmp_path / "speech_data" / "15307110252"
    for word in range(11):
        for take in (1, 2):
            write_tone(student / f"15307110252-{word:02d}-{take:02d}.wav", 200, 0.5, word)
    (student / "notes.wav").touch()
    clips = recordings(tmp_path)
    files = [[path.stem[-5:] for path in (clip.source, *clip.following)] for clip in clips]
    assert files[0] == [f"{word:02d}-01" for word in range(10)]
    assert files[1] == ["10-01", *(f"{word:02d}-02" for word in range(9))]
    assert files[2] == ["09-02", "10-02"]
    assert {(clip.speaker.isalnum(), len(clip.speaker), clip.split) for clip in clips} == {(True, 8, "train")}
    assert "15307110252" not in {clip.speaker for clip in clips}
    write_folder(clips, tmp_path / "out", min_s=1.2)
    assert [clip.labels["seconds"] for clip in read_folder(tmp_path / "out")] == ["5.000", "5.000"]
