"""A few real words and voices, and a command's folder of trained models that all tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from trainer.data import Clip, read_folder
from trainer.gaae import run, sheet
from trainer.gaae.data import DIGITS
from trainer.loop import LossLog
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.workshop import Workshop

CORPORA = {"digits": "arabic_speech_commands", "instruments": "instruments", "gender": "speechocean762"}


@pytest.fixture(scope="package", autouse=True)
def _quick() -> Iterator[None]:
    """Without the pictures of each training, which take longer than it; few batches for batch statistics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LossLog, "_draw", lambda _: None)
        patch.setattr(run, "draw_sheet", lambda *_: None)
        patch.setattr(sheet, "STANDING_BATCHES", 1)
        yield


@pytest.fixture(scope="package")
def few_clips(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of each digit by two speakers a split; two grown-ups of a gender and split, and children."""
    folder = tmp_path_factory.mktemp("corpora")
    words = read_folder(speech_data / "arabic_speech_commands")
    words = [clip for clip in words if clip.labels["word"] in {*DIGITS, "cancel"}]
    _write(folder / "arabic_speech_commands", words, "word", takes=2)
    voices = read_folder(speech_data / "speechocean762")
    grown = [clip for clip in voices if int(clip.labels["age"]) >= 18]
    children = [clip for clip in voices if int(clip.labels["age"]) < 10]
    _write(folder / "speechocean762", [*children[:2], *grown], "gender", takes=3)
    return folder


def _write(folder: Path, clips: Sequence[Clip], column: str, takes: int) -> None:
    """`takes` of each label by the first two speakers of it in a split, and whoever is under 10."""
    seen: Counter[tuple[str, str]] = Counter()
    speakers: dict[tuple[str, str], set[str]] = {}
    rows = [f"path\tspeaker\tsplit\t{column}\tage"]
    for clip in clips:
        label, age = clip.labels[column], clip.labels.get("age", "")
        known = speakers.setdefault((clip.split, label), set())
        child = bool(age) and int(age) < 10
        if len(known) < 2 and not child:
            known.add(clip.speaker)
        seen[clip.speaker, label] += 1
        if child or (clip.speaker in known and seen[clip.speaker, label] <= takes):
            rows.append(f"{clip.path}\t{clip.speaker}\t{clip.split}\t{label}\t{age}")
    folder.mkdir()
    (folder / "metadata.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="package")
def shop(few_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    runs = tmp_path_factory.mktemp("runs")
    return Workshop(few_clips, CORPORA, runs / "toy", SCALES["toy"], Console(quiet=True))
