"""Which figure stands in which cell, with figures that are told instead of measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.trainer.reproduce.gaae.conftest import CORPORA
from trainer.reproduce.gaae import paper, tables
from trainer.reproduce.gaae.recipes import Training
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.sweeps import sweeps
from trainer.reproduce.gaae.trainings import GaaeRuns

CPU = SCALES["cpu"]


@dataclass(frozen=True, kw_only=True)
class CountedRuns(GaaeRuns):
    """Every row has figures of its own, by the order in which they are asked for, unless they are set."""

    by_name: dict[str, dict[str, Any]] = field(default_factory=dict)

    def figures(
        self,
        name: str,
        compute: Callable[[], dict[str, Any]],  # noqa: ARG002
        of: Training | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        if name not in self.by_name:
            number = len(self.by_name) + 1
            self.by_name[name] = {
                "is": 2 + number / 100,
                "is_std": 0.5,
                "fid": 20 + number,
                "recognised": 30 + number,
                "accuracy": 40.0 + number,
            }
        return self.by_name[name]


@pytest.fixture
def runs(tmp_path: Path) -> CountedRuns:
    for name in CORPORA.values():
        (tmp_path / name).mkdir()
    return CountedRuns(
        folder=tmp_path / "runs", console=Console(quiet=True), data=tmp_path, corpora=CORPORA, scale=CPU
    )


def body(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][1:]


def score_cells(figures: dict[str, Any], published: tuple[paper.Cell, paper.Cell]) -> list[str]:
    """As a row of scores has them, but for a model without labels."""
    inception, frechet = published
    of_us = [f"{figures['is']:.2f} ± 0.50", f"{figures['fid']:.2f}", f"{figures['recognised']:.1f}"]
    return [paper.cell(inception), of_us[0], paper.cell(frechet), of_us[1], of_us[2]]


MODELS = {"Supervised BigGAN": "supervised", "Unsupervised BigGAN": "unsupervised"}
GUIDED = {"GGAN": "ggan-5", "GAAE": "gaae-5"}


@pytest.mark.parametrize(
    ("table", "task", "length", "published"),
    [
        (tables.table1, "digits", "long", paper.TABLE_1),
        (tables.table2, "instruments", "short", paper.TABLE_2),
    ],
)
def test_scores_are_each_models_own(
    runs: CountedRuns,
    table: Callable[[GaaeRuns], str],
    task: str,
    length: str,
    published: dict[str, tuple[paper.Cell, paper.Cell]],
) -> None:
    rows = {cells[0].split(",")[0]: cells[1:] for cells in body(table(runs))}
    assert list(rows) == list(published)
    for title, model in (MODELS | GUIDED).items():
        figures = runs.by_name[f"scores/{task}-{model}-{length}-0-by-{task}"]
        assert rows[title] == score_cells(figures, published[title])
    assert rows["Real (test)"] == score_cells(
        runs.by_name[f"scores/{task}-real-test"], published["Real (test)"]
    )


@pytest.mark.parametrize(
    ("gaae", "unsupervised", "recognised", "met"),
    [(3.0, 2.9, 60.0, (True, True)), (2.9, 3.0, 59.9, (False, False))],
)
def test_the_goals_of_generation(
    runs: CountedRuns, gaae: float, unsupervised: float, recognised: float, met: tuple[bool, bool]
) -> None:
    told = {"is_std": 0.1, "fid": 9.0}
    runs.by_name["scores/digits-gaae-5-long-0-by-digits"] = {"is": gaae, "recognised": recognised, **told}
    runs.by_name["scores/digits-unsupervised-long-0-by-digits"] = {
        "is": unsupervised,
        "recognised": None,
        **told,
    }
    goals = [line for line in tables.table1(runs).splitlines() if line.startswith("- Goal")]
    assert tuple(": so in one training" in line for line in goals) == met
    assert tuple(": not so in one training" in line for line in goals) == tuple(not goal for goal in met)


def test_a_goal_is_met_or_missed_over_several_trainings_only(runs: CountedRuns) -> None:
    twice = replace(runs, scale=replace(CPU, runs=2))
    for run in (0, 1):
        runs.by_name[f"scores/digits-gaae-5-long-{run}-by-digits"] = {
            "is": 9.0,
            "is_std": 0.1,
            "fid": 9.0,
            "recognised": 50.0,
        }
    goals = [line for line in tables.table1(twice).splitlines() if line.startswith("- Goal")]
    assert [line.rsplit(": ", 1)[1] for line in goals] == ["met.", "**missed**."]


def test_every_share_of_the_paper_has_a_row_trained_or_not(runs: CountedRuns) -> None:
    _, of_digits, of_instruments = tables.table3(runs).split("GAAE on ")
    for task, text in (("digits", of_digits), ("instruments", of_instruments)):
        rows = {cells[0]: cells[1:] for cells in body(text)}
        for share, published in paper.TABLE_3[task].items():
            cells = rows[f"{share:g} % labelled"]
            if share in (CPU.shares if task == "digits" else CPU.instrument_shares):
                figures = runs.by_name[f"scores/{task}-gaae-{share:g}-short-0-by-{task}"]
                assert cells == score_cells(figures, published)
            else:
                assert cells[1::2] == ["not trained", "not trained"]
                assert cells[0] == paper.cell(published[0])
    longer = {cells[0]: cells[1:] for cells in body(of_digits)}["5 %, 5000 iterations"]
    figures = runs.by_name["scores/digits-gaae-5-long-0-by-digits"]
    assert longer == score_cells(figures, paper.TABLE_3["digits"][5])


@pytest.mark.parametrize(
    ("table", "task", "length", "of", "published"),
    [
        (tables.table4, "digits", "long", "Table I.", paper.TABLE_4),
        (tables.table5, "instruments", "short", "Table II.", paper.TABLE_5),
    ],
)
def test_classifiers_stand_by_what_they_learnt_from(
    runs: CountedRuns,
    table: Callable[[GaaeRuns], str],
    task: str,
    length: str,
    of: str,
    published: dict[str, paper.Cell],
) -> None:
    text = table(runs)
    assert f"the models are those of {of}" in text
    learnt = {
        "Train data": "100",
        "Supervised BigGAN": f"from-{task}-supervised-{length}-0",
        "GGAN": f"from-{task}-ggan-5-{length}-0",
        "GAAE": f"from-{task}-gaae-5-{length}-0",
        "GAAE + train data": f"train-and-{task}-gaae-5-{length}-0",
    }
    for name, theirs, ours in body(text):
        figures = runs.by_name[f"accuracy/{task}-cnn-{learnt[name]}-0"]
        assert (theirs, ours) == (paper.cell(published[name]), f"{figures['accuracy']:.2f}")


def test_by_gender_every_model_is_short(runs: CountedRuns) -> None:
    text = tables.table6(runs)
    rows = {cells[0]: cells[1:] for cells in body(text)}
    trained = {
        "Unsupervised BigGAN": "digits-unsupervised-short-0",
        "Supervised BigGAN": "digits-supervised-short-0",
        "GGAN, guided by digits": "digits-ggan-5-short-0",
        "GAAE, guided by digits": "digits-gaae-5-short-0",
        "GAAE, guided by gender": "gender-gaae-100-short-0",
    }
    for title, name in trained.items():
        figures = runs.by_name[f"scores/{name}-by-gender"]
        assert rows[title] == score_cells(figures, paper.TABLE_6[title])
    assert "Only the last model was trained" in text


@pytest.mark.parametrize(
    ("table", "task", "published"),
    [(tables.table7, "digits", paper.TABLE_7), (tables.table8, "instruments", paper.TABLE_8)],
)
def test_classifiers_by_share(
    runs: CountedRuns,
    table: Callable[[GaaeRuns], str],
    task: str,
    published: dict[float, tuple[paper.Cell, ...]],
) -> None:
    text = table(runs)
    rows = {(cells[0], cells[1]): cells[2:] for cells in body(text)}
    for share, theirs in published.items():
        name = f"{share:g}"
        assert rows[f"{name} %", "paper"] == [paper.cell(value) for value in theirs]
        if share in (CPU.shares if task == "digits" else CPU.instrument_shares):
            names = [f"{task}-cnn-{name}-0", f"{task}-bigan-short-0-{name}"]
            names += [f"{task}-{model}-{name}-short-0" for model in ("ggan", "gaae")]
            ours = [f"{runs.by_name[f'accuracy/{name}']['accuracy']:.2f}" for name in names]
            assert rows[f"{name} %", "ours"] == ours
        else:
            assert rows[f"{name} %", "ours"] == ["not trained"] * 4
    assert "chosen by this accuracy" in text


def test_choices_are_of_the_speakers_set_aside(runs: CountedRuns) -> None:
    rows = body(tables.choices(runs))
    weights = "-alpha=0.5-beta=0.5-lambd=20-omega_1=0.6-omega_2=0.4-omega_3=0.25-omega_4=0.25-omega_5=0.5"
    for (_, accuracy), changed in zip(rows, ("", weights, "-degrade=0"), strict=True):
        figures = runs.by_name[f"accuracy/choices-gaae-5-short{changed}-0"]
        assert accuracy == f"{figures['accuracy']:.2f}"


@pytest.mark.parametrize(("gaae", "met"), [(80.1, True), (79.9, False)])
def test_the_goal_of_classification_is_the_longest_training_against_the_cnn(
    runs: CountedRuns, gaae: float, met: bool
) -> None:
    runs.by_name["accuracy/digits-cnn-5-0"] = {"accuracy": 80.0}
    runs.by_name["accuracy/digits-gaae-5-long-0"] = {"accuracy": gaae}
    runs.by_name["accuracy/digits-ggan-5-long-0"] = {"accuracy": 160 - gaae}
    goal = tables.table7(runs).splitlines()[-1]
    assert (": so in" if met else ": not so in") in goal


def test_the_sweeps_columns(runs: CountedRuns, tmp_path: Path) -> None:
    text = sweeps(runs, tmp_path)
    omegas, alphas = text.split("| α |")
    for part, value, name in (
        (omegas, "0.2", "digits-gaae-5-short-omega_1=0.2-omega_2=0.8-0"),
        (omegas, "0.6 (the paper's)", "digits-gaae-5-short-0"),
        (alphas, "0.2", "digits-gaae-5-short-0"),
        (alphas, "0.5 (the paper's)", "digits-gaae-5-short-alpha=0.5-beta=0.5-0"),
    ):
        row = next(line for line in part.splitlines() if line.startswith(f"| {value} |"))
        scores, accuracy = runs.by_name[f"scores/{name}-by-digits"], runs.by_name[f"accuracy/{name}"]
        expected = [scores["is"], scores["fid"], accuracy["accuracy"]]
        assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [f"{x:.2f}" for x in expected]
