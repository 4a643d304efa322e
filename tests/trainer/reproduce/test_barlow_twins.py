from __future__ import annotations

import csv
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from trainer.barlow_twins.settings import PRESETS
from trainer.cli import app
from trainer.reproduce.barlow_twins.command import PARTS, reproduce_barlow_twins
from trainer.reproduce.barlow_twins.figures import BASE_MODELS, measure_fig3, measure_figs45
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.table3 import labelled_crops

TINY = replace(PRESETS["small"], width=4, projector_width=16, latent=8, batch=8)
CLIPS = 2  # of a speaker, a word and an emotion


@pytest.fixture(scope="module")
def few_clips(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora, cut down to a few speakers and a few clips of each; the audio stays in place."""
    folder = tmp_path_factory.mktemp("data")
    for corpus, speakers in {
        "librispeech": 2,
        "speechocean762": 1,
        "arabic_speech_commands": 2,
        "nemo": 3,
        "noise": 1,
    }.items():
        with (speech_data / corpus / "metadata.tsv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        (folder / corpus).mkdir()
        with (folder / corpus / "metadata.tsv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, list(rows[0]), delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None
            )
            writer.writeheader()
            for row in _few(corpus, rows, speakers):
                writer.writerow({**row, "path": str(speech_data.resolve() / corpus / row["path"])})
    return folder


def _few(corpus: str, rows: list[dict[str, str]], speakers: int) -> list[dict[str, str]]:
    voices: dict[tuple[str, ...], set[str]] = {}
    taken: dict[tuple[str, ...], int] = {}
    few = []
    for row in rows:
        if row.get("word", "zero") not in {"zero", "one"}:
            continue
        # Of speechocean762 a boy, a girl, a man and a woman.
        kind = (row["gender"], str(int(row["age"]) < 16)) if corpus == "speechocean762" else ()
        speakers_of_kind = voices.setdefault((row["split"], *kind), set())
        if len(speakers_of_kind) < speakers:
            speakers_of_kind.add(row["speaker"])
        clip = (row["split"], row["speaker"], row.get("word", ""), row.get("emotion", ""))
        taken[clip] = taken.get(clip, 0) + 1
        if row["speaker"] in speakers_of_kind and taken[clip] <= CLIPS:
            few.append(row)
    return few


@pytest.fixture
def plan(few_clips: Path, tmp_path: Path) -> Plan:
    return Plan(
        data=few_clips,
        runs=tmp_path / "runs",
        page=tmp_path / "docs" / "barlow_twins.md",
        cache=tmp_path / "cache",
        console=Console(file=StringIO()),
        settings=TINY,
        librispeech_epochs=1,
        speechocean_epochs=1,
        sweep_epochs=1,
        repeats=1,
        supervised_steps=2,
        most_supervised_steps=4,
        latent_sizes=(4, 8),
        shares=(50, 100),
        share_draws=2,
        evaluation_draws=2,
    )


def test_a_second_call_writes_the_same_page_from_what_the_first_kept(plan: Plan) -> None:
    reproduce_barlow_twins(plan, list(PARTS))
    text = plan.page.read_text()
    assert re.search(r"\| keyword \| 40 \| 100 \| [\d.]+ \| [\d.]+ \([24]\+?\) \|", text)
    for row in (
        "| speaker | 63 | 50 |",
        "| speaker | 5 | 50 | 75.20",
        "| emotion | 6 | 100 |",
        "| BT-4 |",
        "| speechocean762 |",
        "| noise |",
        "| MBT w/BN/LN |",
    ):
        assert row in text
    for picture in ("fig3.png", "fig4.png", "fig5.png"):
        assert (plan.pictures / picture).read_bytes().startswith(b"\x89PNG")
        assert f"(barlow_twins/{picture})" in text
    runs = sorted(path.parent.relative_to(plan.runs) for path in plan.runs.rglob("losses.csv"))
    assert len(runs) == 2 + 5  # latent 8 is one of the variants too

    # Without its trainings the second call can only go by the figures; a lost one is measured anew.
    (plan.runs / "figures" / "fig3.json").unlink()
    for run in plan.runs.rglob("checkpoint.safetensors"):
        if run.parent.name != "librispeech":
            run.unlink()
    plan.page.unlink()
    reproduce_barlow_twins(plan, list(PARTS))
    assert _figures(plan.page.read_text()) == _figures(text)
    assert len(list(plan.runs.rglob("checkpoint.safetensors"))) == 1

    boxes = measure_figs45(plan)
    assert set(boxes["gender"]) == set(BASE_MODELS)
    assert all(len(runs) == 1 and 0 <= runs[0] <= 100 for runs in boxes["gender"].values())
    matrices = measure_fig3(plan)
    assert [(name, C.shape) for name, C in matrices.items()] == [("before", (8, 8)), ("after", (8, 8))]
    assert all(np.abs(C).max() <= 1 for C in matrices.values())
    assert not np.array_equal(matrices["before"], matrices["after"])


def test_figures_of_other_settings_are_not_reused(plan: Plan) -> None:
    assert plan.figures("x", {"steps": 1}, lambda: [1.0]) == [1.0]
    assert plan.figures("x", {"steps": 1}, lambda: [2.0]) == [1.0]
    assert plan.figures("x", {"steps": 2}, lambda: [2.0]) == [2.0]
    assert not list(plan.runs.rglob("*.partial"))


def test_factors_are_of_the_test_speakers_and_one_row_a_crop(plan: Plan) -> None:
    crops, factors = labelled_crops(plan)
    assert crops.shape == (len(factors), 16384)
    assert [len(np.unique(column)) for column in factors.T] == [4, 2, 2]
    assert len(np.unique(factors, axis=0)) == 4


def test_an_unknown_part_is_refused() -> None:
    result = CliRunner().invoke(app, ["reproduce", "barlow-twins", "--data", ".", "--only", "table9"])
    assert result.exit_code == 2
    assert "table9" in result.output


def _figures(text: str) -> list[str]:
    """The page without what the machine was doing."""
    return [line for line in text.splitlines() if "Machine" not in line]
