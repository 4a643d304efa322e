"""The tasks on real speech: who is labelled, who is tested, and what a crop holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bundle.audio import CROP_SAMPLES
from trainer.audio.folders import DataError, contiguous_crops, read_audio, read_folder
from trainer.downstream import TASKS, read_task
from trainer.downstream.tasks import split_clips

CORPUS = {
    "speaker": "speechocean762",
    "gender": "speechocean762",
    "keyword": "arabic_speech_commands",
    "emotion": "nemo",
}


@pytest.mark.parametrize("name", TASKS)
def test_no_clip_is_both_labelled_and_tested(speech_data: Path, name: str) -> None:
    train, test = split_clips(name, read_folder(speech_data / CORPUS[name]))
    assert train
    assert test
    assert not {clip.path for clip in train} & {clip.path for clip in test}
    labelled, tested = {clip.speaker for clip in train}, {clip.speaker for clip in test}
    assert labelled == tested if name == "speaker" else not labelled & tested


def test_the_tasks_are_as_large_as_their_page_says(speech_data: Path) -> None:
    speakers, clips = {}, {}
    for name in TASKS:
        halves = split_clips(name, read_folder(speech_data / CORPUS[name]))
        speakers[name] = tuple(len({clip.speaker for clip in half}) for half in halves)
        clips[name] = tuple(map(len, halves))
    assert speakers == {"speaker": (63, 63), "gender": (125, 63), "keyword": (18, 6), "emotion": (6, 3)}
    assert clips == {
        "speaker": (630, 630),
        "gender": (1250, 630),
        "keyword": (3600, 1200),
        "emotion": (770, 391),
    }


def test_both_genders_and_all_emotions_are_labelled_and_tested(speech_data: Path) -> None:
    for half in split_clips("emotion", read_folder(speech_data / "nemo")):
        assert {clip.labels["gender"] for clip in half} == {"f", "m"}
        assert len({clip.labels["emotion"] for clip in half}) == 6


@pytest.mark.parametrize("name", TASKS)
def test_a_task_holds_every_class_labelled_and_whole_crops(
    small_corpora: Path, tmp_path: Path, name: str
) -> None:
    task = read_task(name, small_corpora, tmp_path)
    assert (task.name, task.corpus) == (name, CORPUS[name])
    for half in (task.train, task.test):
        assert half.crops.shape == (len(half.labels), CROP_SAMPLES)
        assert np.abs(half.crops).max() <= 1
    assert set(task.train.labels) == set(range(len(task.classes)))
    assert task.classes == tuple(sorted(task.classes))


def test_crops_are_cut_from_the_clips_they_are_labelled_by(small_corpora: Path, tmp_path: Path) -> None:
    task = read_task("speaker", small_corpora, tmp_path)
    train, _ = split_clips("speaker", read_folder(small_corpora / "speechocean762"))
    by_clip = [contiguous_crops(read_audio(clip.path)) for clip in train]
    first = by_clip[0][[0, 2]]  # two of three, evenly spread
    assert len(by_clip[0]) == 3
    np.testing.assert_allclose(task.train.crops[:2], first, atol=1 / 32768)
    assert task.classes[task.train.labels[0]] == train[0].speaker
    assert len(task.train.labels) == sum(min(2, len(crops)) for crops in by_clip)


@pytest.mark.usefixtures("speech_data")  # names a speaker of nEMO
def test_what_is_missing_is_named(small_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="speaker, gender, keyword, emotion"):
        read_task("age", small_corpora, tmp_path)
    shutil.copytree(small_corpora / "nemo", tmp_path / "nemo")
    table = tmp_path / "nemo" / "metadata.tsv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join([*rows, rows[1].replace(rows[1].split("\t")[0], "gone.opus")]))
    with pytest.raises(DataError, match=r"gone\.opus.*all of its clips"):
        read_task("emotion", tmp_path, tmp_path)
    table.write_text("\n".join(row for row in rows if "\tanger" not in row or "/WR0/" in row))
    with pytest.raises(DataError, match=r"emotion tests \['anger'\], but no train clip"):
        read_task("emotion", tmp_path, tmp_path)
    table.write_text("\n".join(row.replace("\tanger", "\t") for row in rows))
    with pytest.raises(DataError, match=r"has no emotion in metadata\.tsv"):
        read_task("emotion", tmp_path, tmp_path)
