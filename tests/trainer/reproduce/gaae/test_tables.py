"""Which figure stands in which cell, with figures that are told instead of measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.trainer.reproduce.gaae.conftest import CORPORA
from trainer.reproduce.gaae import paper, tables
from trainer.reproduce.gaae.recipes import Training
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.sweeps import sweeps
from trainer.reproduce.gaae.workshop import Workshop

CPU = SCALES["cpu"]


@dataclass(frozen=True)
class Told(Workshop):
    """Every row has figures of its own, by the order in which they are asked for, unless they are set."""

    asked: dict[str, dict[str, Any]] = field(default_factory=dict)

    def row(
        self,
        name: str,
        compute: Callable[[], dict[str, Any]],  # noqa: ARG002
        of: Training | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        if name not in self.asked:
            number = len(self.asked) + 1
            self.asked[name] = {
                "is": 2 + number / 100,
                "is_std": 0.5,
                "fid": 20 + number,
                "recognised": 30 + number,
                "accuracy": 40.0 + number,
            }
        return self.asked[name]


@pytest.fixture
def shop(tmp_path: Path) -> Told:
    for name in CORPORA.values():
        (tmp_path / name).mkdir()
    return Told(tmp_path, CORPORA, tmp_path / "runs", CPU, Console(quiet=True))


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
    shop: Told,
    table: Callable[[Workshop], str],
    task: str,
    length: str,
    published: dict[str, tuple[paper.Cell, paper.Cell]],
) -> None:
    rows = {cells[0].split(",")[0]: cells[1:] for cells in body(table(shop))}
    assert list(rows) == list(published)
    for title, model in (MODELS | GUIDED).items():
        figures = shop.asked[f"scores/{task}-{model}-{length}-0-by-{task}"]
        assert rows[title] == score_cells(figures, published[title])
    assert rows["Real (test)"] == score_cells(
        shop.asked[f"scores/{task}-real-test"], published["Real (test)"]
    )


@pytest.mark.parametrize(
    ("gaae", "unsupervised", "recognised", "met"),
    [(3.0, 2.9, 60.0, (True, True)), (2.9, 3.0, 59.9, (False, False))],
)
def test_the_goals_of_generation(
    shop: Told, gaae: float, unsupervised: float, recognised: float, met: tuple[bool, bool]
) -> None:
    told = {"is_std": 0.1, "fid": 9.0}
    shop.asked["scores/digits-gaae-5-long-0-by-digits"] = {"is": gaae, "recognised": recognised, **told}
    shop.asked["scores/digits-unsupervised-long-0-by-digits"] = {
        "is": unsupervised,
        "recognised": None,
        **told,
    }
    goals = [line for line in tables.table1(shop).splitlines() if line.startswith("- Goal")]
    assert tuple(line.endswith(": met.") for line in goals) == met
    assert tuple(line.endswith(": **missed**.") for line in goals) == tuple(not one for one in met)


def test_every_share_of_the_paper_has_a_row_trained_or_not(shop: Told) -> None:
    _, of_digits, of_instruments = tables.table3(shop).split("GAAE on ")
    for task, text in (("digits", of_digits), ("instruments", of_instruments)):
        rows = {cells[0]: cells[1:] for cells in body(text)}
        for share, published in paper.TABLE_3[task].items():
            cells = rows[f"{share:g} % labelled"]
            if share in (CPU.shares if task == "digits" else CPU.instrument_shares):
                figures = shop.asked[f"scores/{task}-gaae-{share:g}-short-0-by-{task}"]
                assert cells == score_cells(figures, published)
            else:
                assert cells[1::2] == ["not trained", "not trained"]
                assert cells[0] == paper.cell(published[0])
    longer = {cells[0]: cells[1:] for cells in body(of_digits)}["5 %, 5000 iterations"]
    figures = shop.asked["scores/digits-gaae-5-long-0-by-digits"]
    assert longer == score_cells(figures, paper.TABLE_3["digits"][5])


@pytest.mark.parametrize(
    ("table", "task", "length", "of", "published"),
    [
        (tables.table4, "digits", "long", "Table I.", paper.TABLE_4),
        (tables.table5, "instruments", "short", "Table II.", paper.TABLE_5),
    ],
)
def test_classifiers_stand_by_what_they_learnt_from(
    shop: Told,
    table: Callable[[Workshop], str],
    task: str,
    length: str,
    of: str,
    published: dict[str, paper.Cell],
) -> None:
    text = table(shop)
    assert f"the models are those of {of}" in text
    learnt = {
        "Train data": "100",
        "Supervised BigGAN": f"from-{task}-supervised-{length}-0",
        "GGAN": f"from-{task}-ggan-5-{length}-0",
        "GAAE": f"from-{task}-gaae-5-{length}-0",
        "GAAE + train data": f"train-and-{task}-gaae-5-{length}-0",
    }
    for name, theirs, ours in body(text):
        figures = shop.asked[f"accuracy/{task}-cnn-{learnt[name]}-0"]
        assert (theirs, ours) == (paper.cell(published[name]), f"{figures['accuracy']:.2f}")


def test_by_gender_every_model_is_short(shop: Told) -> None:
    text = tables.table6(shop)
    rows = {cells[0]: cells[1:] for cells in body(text)}
    trained = {
        "Unsupervised BigGAN": "digits-unsupervised-short-0",
        "Supervised BigGAN": "digits-supervised-short-0",
        "GGAN, guided by digits": "digits-ggan-5-short-0",
        "GAAE, guided by digits": "digits-gaae-5-short-0",
        "GAAE, guided by gender": "gender-gaae-100-short-0",
    }
    for title, name in trained.items():
        figures = shop.asked[f"scores/{name}-by-gender"]
        assert rows[title] == score_cells(figures, paper.TABLE_6[title])
    assert "it has an advantage there" in text


@pytest.mark.parametrize(
    ("table", "task", "published"),
    [(tables.table7, "digits", paper.TABLE_7), (tables.table8, "instruments", paper.TABLE_8)],
)
def test_classifiers_by_share(
    shop: Told,
    table: Callable[[Workshop], str],
    task: str,
    published: dict[float, tuple[paper.Cell, ...]],
) -> None:
    text = table(shop)
    rows = {(cells[0], cells[1]): cells[2:] for cells in body(text)}
    for share, theirs in published.items():
        name = f"{share:g}"
        assert rows[f"{name} %", "paper"] == [paper.cell(value) for value in theirs]
        if share in (CPU.shares if task == "digits" else CPU.instrument_shares):
            names = [f"{task}-cnn-{name}-0", f"{task}-bigan-short-0-{name}"]
            names += [f"{task}-{model}-{name}-short-0" for model in ("ggan", "gaae")]
            ours = [f"{shop.asked[f'accuracy/{one}']['accuracy']:.2f}" for one in names]
            assert rows[f"{name} %", "ours"] == ours
        else:
            assert rows[f"{name} %", "ours"] == ["not trained"] * 4
    assert "chosen by this accuracy" in text


def test_choices_are_of_the_speakers_set_aside(shop: Told) -> None:
    rows = body(tables.choices(shop))
    weights = "-alpha=0.5-beta=0.5-lambd=20-omega_1=0.6-omega_2=0.4-omega_3=0.25-omega_4=0.25-omega_5=0.5"
    for (_, accuracy), changed in zip(rows, ("", weights, "-degrade=0"), strict=True):
        figures = shop.asked[f"accuracy/choices-gaae-5-short{changed}-0"]
        assert accuracy == f"{figures['accuracy']:.2f}"


@pytest.mark.parametrize(("gaae", "met"), [(80.1, True), (79.9, False)])
def test_the_goal_of_classification_is_the_longest_training_against_the_cnn(
    shop: Told, gaae: float, met: bool
) -> None:
    shop.asked["accuracy/digits-cnn-5-0"] = {"accuracy": 80.0}
    shop.asked["accuracy/digits-gaae-5-long-0"] = {"accuracy": gaae}
    shop.asked["accuracy/digits-ggan-5-long-0"] = {"accuracy": 160 - gaae}
    assert tables.table7(shop).endswith(": met." if met else ": **missed**.")


def test_the_sweeps_columns(shop: Told, tmp_path: Path) -> None:
    text = sweeps(shop, tmp_path)
    omegas, alphas = text.split("| α |")
    for part, value, name in (
        (omegas, "0.2", "digits-gaae-5-short-omega_1=0.2-omega_2=0.8-0"),
        (omegas, "0.6 (the paper's)", "digits-gaae-5-short-0"),
        (alphas, "0.2", "digits-gaae-5-short-0"),
        (alphas, "0.5 (the paper's)", "digits-gaae-5-short-alpha=0.5-beta=0.5-0"),
    ):
        row = next(line for line in part.splitlines() if line.startswith(f"| {value} |"))
        scores, accuracy = shop.asked[f"scores/{name}-by-digits"], shop.asked[f"accuracy/{name}"]
        expected = [scores["is"], scores["fid"], accuracy["accuracy"]]
        assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [f"{x:.2f}" for x in expected]
