from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.audio.folders import DataError
from trainer.evaluate import draw_speakers, evaluate
from trainer.scoring.embedding import EncoderName

WriteTone = Callable[[Path, float, float, int], None]


@pytest.fixture
def tones(tmp_path: Path, write_tone: WriteTone) -> Path:
    """Six "speakers", each a tone near one band of the tiny bundle: three clips of 5.3 s, one of 0.7 s."""
    folder = tmp_path / "tones"
    rows = ["path\tspeaker\tsplit\tseconds"]
    for speaker in range(6):
        for clip in range(4):
            path = f"audio/s{speaker}/{clip}.wav"
            seconds = 0.7 if clip == 3 else 5.3
            write_tone(folder / path, 255 * 25 ** (speaker / 7), seconds, 10 * speaker + clip)
            rows.append(f"{path}\ts{speaker}\t{'train' if speaker == 5 else 'test'}\t{seconds}")
    (folder / "metadata.tsv").write_text("\n".join(rows) + "\n")
    return folder


def test_figures_of_a_separable_folder(tiny_bundle: Path, tones: Path) -> None:
    figures = evaluate(tiny_bundle, tones, split="test")
    assert figures["model"] == "tiny/0.0.1"
    assert figures["speakers"] == 5
    assert figures["utterances"] == 20
    assert figures["segments"] == 75  # 5 whole crops of 5.3 s, none of 0.7 s
    assert figures["few_shot"]["10"]["f1"] == 100
    assert figures["few_shot"]["10"]["runs"] == 10
    assert "15" not in figures["few_shot"]  # 15 crops a speaker leave none to test on
    assert figures["trials"] == {"target": 5 * 6, "nontarget": 10 * 16}
    assert figures["eer"] == 0
    assert figures["min_dcf"] == 0
    assert 0 < figures["cllr"] < 1


def test_speakers_limits_the_few_shot_part_only(tiny_bundle: Path, tones: Path) -> None:
    everyone, three = evaluate(tiny_bundle, tones), evaluate(tiny_bundle, tones, speakers=3, seed=1)
    assert (everyone["few_shot_speakers"], three["few_shot_speakers"]) == (6, 3)
    assert three["few_shot"]["10"]["speakers"] == 3
    assert (three["speakers"], three["trials"], three["eer"]) == (6, everyone["trials"], everyone["eer"])


def test_content_encoder_has_no_calibration(tiny_bundle: Path, tones: Path) -> None:
    figures = evaluate(tiny_bundle, tones, encoder=EncoderName.CONTENT)
    assert figures["encoder"] == "content"
    assert figures["cllr"] is None
    assert 0 <= figures["eer"] <= 100


def test_unreadable_files_are_named_and_left_out(tiny_bundle: Path, tones: Path) -> None:
    (tones / "audio/s0/0.wav").write_bytes(b"not audio")
    figures = evaluate(tiny_bundle, tones, split="test")
    assert figures["utterances"] == 19
    assert len(figures["skipped"]) == 1
    assert "s0/0.wav" in figures["skipped"][0]


def test_one_clip_a_speaker_has_no_error_rate(
    tiny_bundle: Path, tmp_path: Path, write_tone: WriteTone
) -> None:
    for speaker in range(3):
        write_tone(tmp_path / "data" / f"s{speaker}" / "only.wav", 300 * (1 + speaker), 12.0, speaker)
    figures = evaluate(tiny_bundle, tmp_path / "data")
    assert figures["eer"] is None
    assert figures["few_shot"]["10"]["speakers"] == 3


def test_unlabelled_folder_is_refused(tiny_bundle: Path, tmp_path: Path, write_tone: WriteTone) -> None:
    write_tone(tmp_path / "data" / "a.wav", 300, 2.0, 0)
    with pytest.raises(DataError, match="names no speaker"):
        evaluate(tiny_bundle, tmp_path / "data")


def test_speakers_are_drawn_as_the_contract_says() -> None:
    names = [f"{i:03d}" for i in range(63)]
    expected = [str(n) for n in np.random.default_rng(0).permutation(sorted(names))[:30]]
    assert draw_speakers(names[::-1] * 2, 30, seed=0) == expected
    assert sorted(draw_speakers(names[:10], 30, seed=0)) == names[:10]


def test_needs_no_torch() -> None:
    code = "import trainer.evaluate, trainer.cli, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
