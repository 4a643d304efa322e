from __future__ import annotations

from pathlib import Path

import pytest

from trainer.audio.folders import DataError
from trainer.corpora.speechocean762 import recordings

TABLES = {
    "wav.scp": "{0}0011\tWAVE/SPEAKER{0}/{0}0011.WAV\n",
    "utt2spk": "{0}0011 {0}\n",
    "text": "{0}0011\tWE CALL IT BEAR\n",
    "spk2gender": "{0}\tm\n",
    "spk2age": "{0}\t6\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for split, speaker in (("train", "0001"), ("test", "0003")):
        (tmp_path / split).mkdir()
        for name, lines in TABLES.items():
            (tmp_path / split / name).write_text(lines.format(speaker))
    return tmp_path


def test_tables_of_both_splits_are_joined(root: Path) -> None:
    train, test = recordings(root)
    assert (train.clip, train.speaker, train.split) == ("00010011", "0001", "train")
    assert train.source == root / "WAVE/SPEAKER0001/00010011.WAV"
    assert train.labels == {"gender": "m", "age": "6", "text": "we call it bear"}
    assert (test.speaker, test.split) == ("0003", "test")


def test_a_table_that_lacks_a_speaker_is_said(root: Path) -> None:
    (root / "test" / "spk2age").write_text("")
    with pytest.raises(DataError, match=r"a table lacks '0003'"):
        recordings(root)
