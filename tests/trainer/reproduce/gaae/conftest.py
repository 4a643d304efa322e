"""A few real words and voices, and a command's folder of trained models that all tests share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from trainer.data import read_folder
from trainer.gaae.data import DIGITS
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.workshop import Workshop

CORPORA = {"digits": "arabic_speech_commands", "instruments": "instruments", "gender": "speechocean762"}


@pytest.fixture(scope="package")
def few_clips(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of each digit by two speakers a split; two grown-ups of a gender and split, a child beside."""
    folder = tmp_path_factory.mktemp("corpora")
    _write(
        folder / "arabic_speech_commands",
        [
            (clip, clip.labels["word"], "word")
            for clip in read_folder(speech_data / "arabic_speech_commands")
            if clip.labels["word"] in {*DIGITS, "cancel"}
        ],
        takes=2,
    )
    voices = read_folder(speech_data / "speechocean762")
    grown = [clip for clip in voices if int(clip.labels["age"]) >= 18]
    children = [clip for clip in voices if int(clip.labels["age"]) < 10]
    _write(
        folder / "speechocean762",
        [(clip, clip.labels["gender"], "gender") for clip in [*grown, *children[:2]]],
        takes=3,
    )
    return folder


def _write(folder: Path, clips: list, takes: int) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    speakers: dict[tuple[str, str], set[str]] = {}
    rows = [f"path\tspeaker\tsplit\t{clips[0][2]}\tage"]
    for clip, label, _ in clips:
        known = speakers.setdefault((clip.split, label), set())
        known |= {clip.speaker} if len(known) < 2 else set()
        seen[clip.speaker, label] += 1
        if clip.speaker in known and seen[clip.speaker, label] <= takes:
            age = clip.labels.get("age", "")
            rows.append(f"{clip.path}\t{clip.speaker}\t{clip.split}\t{label}\t{age}")
    folder.mkdir()
    (folder / "metadata.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="package")
def shop(few_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    runs = tmp_path_factory.mktemp("runs")
    return Workshop(few_clips, CORPORA, runs / "toy", SCALES["toy"], Console(quiet=True))
