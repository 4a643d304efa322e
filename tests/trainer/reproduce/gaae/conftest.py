"""A few real words and voices, some notes, and a command's folder of trained models that all tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from trainer.audio.folders import Clip, read_folder
from trainer.corpora.nsynth import PAPER_FAMILIES
from trainer.corpora.speechcommands import DIGITS
from trainer.gaae import run, sheet
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.trainings import GaaeRuns
from trainer.training.loop import LossLog

CORPORA = {"digits": "arabic_speech_commands", "instruments": "instruments", "gender": "speechocean762"}


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Without the pictures of each training, which take longer than it; few batches for batch statistics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LossLog, "_draw", lambda _: None)
        patch.setattr(run, "draw_sheet", lambda *_: None)
        patch.setattr(sheet, "STANDING_BATCHES", 1)
        yield


@pytest.fixture(scope="package")
def few_clips(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of each digit by two speakers a split; two grown-ups of a gender and split, and children."""
    folder = tmp_path_factory.mktemp("corpora")
    words = read_folder(corpora / "arabic_speech_commands")
    words = [clip for clip in words if clip.labels["word"] in {*DIGITS, "cancel"}]
    _write(folder / "arabic_speech_commands", words, "word", takes=2)
    voices = read_folder(corpora / "speechocean762")
    grown = [clip for clip in voices if int(clip.labels["age"]) >= 18]
    children = [clip for clip in voices if int(clip.labels["age"]) < 10]
    _write(folder / "speechocean762", [*children[:2], *grown], "gender", takes=3)
    _write_notes(folder / "instruments")
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


def _write_notes(folder: Path) -> None:
    """Four notes of each family in a split: decaying tones, with other overtones in each family."""
    time_s = np.arange(24_000) / 16_000
    rows = ["path\tspeaker\tsplit\tfamily"]
    for overtones, family in enumerate(PAPER_FAMILIES, start=1):
        for split, pitches_hz in (("train", (220, 330, 370, 500)), ("test", (262, 294, 392, 440))):
            for hz in pitches_hz:
                tones = [np.sin(2 * np.pi * hz * k * time_s) / k for k in range(1, 2 * overtones)]
                path = folder / "audio" / family / f"{hz}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, 0.3 * np.exp(-3 * time_s) * sum(tones), 16_000)
                rows.append(f"{path.relative_to(folder)}\t{family}-{split}\t{split}\t{family}")
    (folder / "metadata.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="package")
def runs(few_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> GaaeRuns:
    return GaaeRuns(
        folder=tmp_path_factory.mktemp("runs") / "toy",
        console=Console(quiet=True),
        data=few_clips,
        corpora=CORPORA,
        scale=SCALES["toy"],
    )
