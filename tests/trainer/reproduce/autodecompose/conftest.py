"""The parts at a tiny scale on a few real recordings, all in one folder of trained models."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console

from trainer.reproduce.autodecompose.settings import AutodecomposeScale, Effort
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns

ONCE = Effort(1)
TINY = AutodecomposeScale(
    name="tiny",
    networks="dense",
    pretrain=ONCE,
    tune=ONCE,
    fig7=ONCE,
    overfit=Effort(4),
    overfit_preset="paper",
    overfit_networks="dense",
    ecapa=ONCE,
    draws=2,
    overfit_draws=2,
    fig7_networks=("fast", "dense"),
    speakers=3,
    aligned_clips=14,
    phoneme_draws=2,
    phoneme_frames=300,
    map_points=40,
)
KEPT = {  # corpus and split: speakers, recordings a speaker
    ("librispeech", "train"): (1, 4),
    ("librispeech", "test"): (2, 3),
    ("speechocean762", "train"): (2, 5),
    ("speechocean762", "test"): (3, 7),
    ("crowd", "train"): (1, 8),
    ("arabic_speech_commands", "train"): (2, 20),
    ("arabic_speech_commands", "test"): (2, 20),
}


@pytest.fixture(scope="package")
def few_clips(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora with a few speakers each; the recordings are the real ones."""
    folder = tmp_path_factory.mktemp("corpora")
    for corpus in {corpus for corpus, _ in KEPT}:
        with (speech_data / corpus / "metadata.tsv").open(newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns, rows = list(reader.fieldnames or ()), list(reader)
        (folder / corpus).mkdir()
        (folder / corpus / "audio").symlink_to(speech_data / corpus / "audio")
        with (folder / corpus / "metadata.tsv").open("w") as out:
            out.write("\t".join(columns) + "\n")
            for row in _few(rows, corpus):
                out.write("\t".join(row[column] for column in columns) + "\n")
    return folder


def _few(rows: list[dict[str, str]], corpus: str) -> list[dict[str, str]]:
    few: list[dict[str, str]] = []
    for (name, split), (speakers, clips) in KEPT.items():
        if name != corpus:
            continue
        by_speaker: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            if row["split"] == split:
                by_speaker[row["speaker"]].append(row)
        most = sorted(by_speaker.values(), key=lambda spoken: -sum(float(row["seconds"]) for row in spoken))
        few += [row for spoken in most[:speakers] for row in spoken[:clips]]
    return few


@pytest.fixture(scope="package")
def runs(few_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> AutodecomposeRuns:
    return AutodecomposeRuns(
        folder=tmp_path_factory.mktemp("runs") / TINY.name,
        console=Console(quiet=True),
        data=few_clips,
        scale=TINY,
    )
