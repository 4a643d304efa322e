from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.corpora.commonvoice import recordings

WriteTone = Callable[[Path, float, float, int], None]

COLUMNS = "client_id\tpath\tsentence\tgender\tlocale\n"


@pytest.fixture
def root(tmp_path: Path, write_tone: WriteTone) -> Path:
    """Two languages. In the first, "ann" has a clip in test.tsv and one in other.tsv."""
    for language, number in (("cy", 4), ("tr", 1)):
        for index in range(number):
            write_tone(tmp_path / language / "clips" / f"{language}_{index}.mp3", 200, 1.5, index)
    tables = {
        "cy/test.tsv": 'ann\tcy_0.mp3\tBore "da\tfemale_feminine\tcy\n',
        "cy/other.tsv": "ann\tcy_1.mp3\tNos da\tfemale\tcy\nben\tcy_2.mp3\t\tother\tcy\n",
        "cy/validated.tsv": 'ann\tcy_0.mp3\tBore "da\tfemale_feminine\tcy\nben\tcy_3.mp3\tIe\t\tcy\n'
        "ben\tgone.mp3\tNa\t\tcy\n",
        "tr/validated.tsv": "cem\ttr_0.mp3\tEvet\tmale\ttr\n",
    }
    for name, rows in tables.items():
        (tmp_path / name).write_text(COLUMNS + rows)
    (tmp_path / "cy/reported.tsv").write_text("sentence\treason\nx\ty\n")
    return tmp_path


def test_a_speaker_is_in_one_split(root: Path) -> None:
    clips = recordings(root)
    assert [(clip.clip, clip.split) for clip in clips] == [
        ("cy_0", "test"),
        ("cy_1", "test"),
        ("cy_2", "train"),
        ("cy_3", "train"),
        ("tr_0", "train"),
    ]
    assert clips[0].speaker == clips[1].speaker != "ann"
    assert clips[0].labels == {"language": "cy", "text": 'Bore "da', "gender": "f"}
    assert clips[2].labels == {"language": "cy"}


def test_nobody_has_more_clips_than_asked_for(root: Path) -> None:
    assert [clip.clip for clip in recordings(root, per_speaker=1)] == ["cy_1", "cy_2", "tr_0"]
