from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the peer needs the `train` extra")

from benchmarks.conditions import conditions_page
from benchmarks.conditions.codecs import CODECS, through_codec
from benchmarks.conditions.degradations import in_room
from benchmarks.conditions.trials import geometric_mean_of_ratios, one_side, rates
from benchmarks.decisions.model import Voices
from benchmarks.recordings.recordings import Recordings
from bundle.scoring import Calibration, OperatingPoint, Scorer, Scoring
from trainer.bundles.newest import newest_bundle

SHIPPED = newest_bundle(Path(__file__).parents[2] / "models" / "autodecompose")


def test_one_side_leaves_out_a_recording_against_itself() -> None:
    speakers = np.array(["a", "a", "b"])
    clean = Voices(np.eye(3, dtype=np.float32), speakers)
    degraded = Voices(np.arange(9, dtype=np.float32).reshape(3, 3).T, speakers)
    target, nontarget = one_side(clean, degraded)  # scores[i, j] = 3 j + i … of column j
    assert sorted(target) == sorted([degraded.vectors[1, 0], degraded.vectors[0, 1]])
    assert len(nontarget) == 4


def test_rates_are_at_the_models_own_threshold() -> None:
    scoring = Scoring(
        score_type="centred_cosine",
        mean=[0.0],
        calibration=Calibration(slope=1, intercept=0),
        false_accept=[OperatingPoint(fpr=0.01, threshold=0.5)],
        fitted_on="nothing",
    )
    measured = rates(Scorer(scoring), np.float32([0.4, 0.6, 0.7, 0.8]), np.float32([0.0, 0.1, 0.2, 0.55]))
    assert measured == pytest.approx({"eer": 25.0, "false_accepts": 25.0, "misses": 25.0})


def test_nothing_counts_as_better_than_the_least() -> None:
    assert geometric_mean_of_ratios([0.0, 8.0], [0.1, 2.0], 0.3) == pytest.approx(2.0)


def test_a_room_of_one_reflection_is_an_echo_at_the_old_level() -> None:
    click = np.zeros(1000, np.float32)
    click[10] = 0.5
    room = np.zeros(200, np.float32)
    room[[0, 100]] = [2.0, 1.0]
    received = in_room([room])(click, 0)
    assert received[[10, 110]] == pytest.approx([0.5, 0.25], abs=1e-6)
    assert received.size == 1000


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="codecs need ffmpeg")
@pytest.mark.parametrize("name", CODECS)
def test_a_codec_keeps_place_and_length_and_changes_the_samples(name: str, speech_data: Path) -> None:
    recordings = Recordings.read(speech_data / "librispeech", "test", step=40).samples
    received = through_codec(recordings, CODECS[name])
    assert [samples.size for samples in received] == [samples.size for samples in recordings]
    for before, after in zip(recordings, received, strict=True):
        assert not np.allclose(before, after, atol=1e-4)
        loudness = [np.convolve(np.abs(x), np.ones(800) / 800, "same") for x in (before, after)]
        assert np.corrcoef(*loudness)[0, 1] > 0.85  # 50 ms: speech is where it was


def copy(corpus: str, split: str, speakers: int, clips: int, source: Path, out: Path) -> None:
    """A corpus of a few speakers, whose clips stay where they are."""
    with (source / corpus / "metadata.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=3) if row["split"] == split]
    names = sorted({row.get("speaker", "") for row in rows})[:speakers]
    table = out / corpus / "metadata.tsv"
    table.parent.mkdir(exist_ok=True)
    new = not table.exists()
    with table.open("a", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", quoting=3, quotechar=None)
        if new:
            writer.writeheader()
        for name in names:
            for row in [row for row in rows if row.get("speaker", "") == name][:clips]:
                writer.writerow({**row, "path": str(source / corpus / row["path"])})


def test_the_page_of_a_few_clips_and_a_second_run_from_what_was_kept(
    speech_data: Path, tmp_path: Path
) -> None:
    data, page, kept = tmp_path / "data", tmp_path / "conditions.md", tmp_path / "kept"
    data.mkdir()
    copy("librispeech", "test", 3, 3, speech_data, data)
    copy("librispeech", "train", 20, 1, speech_data, data)
    copy("speechocean762", "train", 12, 10, speech_data, data)
    copy("crowd", "train", 1, 20, speech_data, data)
    copy("noise", "train", 1, 3, speech_data, data)
    copy("rooms", "test", 1, 3, speech_data, data)
    copy("ambience", "test", 1, 3, speech_data, data)
    said: list[str] = []

    def run() -> str:
        conditions_page(
            [SHIPPED],
            data,
            page,
            kept,
            sets=["librispeech"],
            conditions=["8 kHz"],
            with_peer=False,
            say=said.append,
        )
        return page.read_text()

    text = run()
    lines = [line for line in text.splitlines() if line.startswith("| librispeech")]
    assert [line.split(" | ")[0] for line in lines] == [
        "| librispeech, as recorded",
        "| librispeech, 8 kHz, both sides",
        "| librispeech, 8 kHz, one side",
    ]
    assert f"| test speakers | autodecompose/{SHIPPED.name} | no network | untrained |" in text
    assert len(said) == 6  # three models, two conditions
    again = run()
    assert [line in again for line in lines] == [True] * 3
    assert len(said) == 6  # nothing was measured twice
    with pytest.raises(ValueError, match="No 'cafe' to measure; there are as recorded"):
        conditions_page([SHIPPED], data, page, kept, conditions=["cafe"], with_peer=False, say=said.append)
