"""Which trainings there are, and what they cost."""

from __future__ import annotations

import pytest

from trainer.gaae.settings import PRESETS
from trainer.reproduce.gaae import paper
from trainer.reproduce.gaae.page import PARTS, chosen_parts
from trainer.reproduce.gaae.plan import NOTHING, plan, work
from trainer.reproduce.gaae.recipes import (
    Training,
    all_runs,
    alpha_sweep,
    by_share,
    first_run,
    omega_sweep,
    rivals,
    settings_of,
)
from trainer.reproduce.gaae.scale import SCALES

TASKS = ("digits", "instruments", "gender")
CPU = SCALES["cpu"]


def test_cpu_is_an_evening_of_two_cores() -> None:
    done = NOTHING
    for part in PARTS:
        done |= work(CPU, part, TASKS)
    assert 2 < done.hours(CPU) < 8
    assert len({training.name for training in done.trainings}) == len(done.trainings)


def test_a_training_costs_its_iterations_by_model() -> None:
    table1 = work(CPU, "table1", TASKS)
    seconds = CPU.long * 0.55 * (1 + 0.7 + 2 * 0.45) + 600 * 0.3
    assert table1.hours(CPU) == pytest.approx(seconds / 3600)
    assert not (work(CPU, "sheets", ("digits",)) - table1).trainings


def test_the_paper_trains_three_times_and_nothing_twice() -> None:
    scale = SCALES["paper"]
    assert (scale.long, scale.short, scale.runs, scale.samples) == (60_000, 60_000, 3, 50_000)
    assert rivals(scale, "digits", "long") == rivals(scale, "digits", "short")
    assert by_share(scale, "gaae", "digits")[5] == rivals(scale, "digits", "long")["GAAE"]
    assert [training.run for training in all_runs(scale, by_share(scale, "gaae", "digits")[1])] == [0, 1, 2]
    assert set(scale.shares) == set(paper.TABLE_3["digits"]) == set(paper.TABLE_7)


def test_a_sweep_meets_the_plain_training() -> None:
    plain = first_run(CPU, "gaae", "digits")
    assert omega_sweep(CPU)[0.6] == alpha_sweep(CPU)[0.2] == plain
    swept = settings_of(CPU, omega_sweep(CPU)[0.2], 10.0)
    assert (swept.omega_1, swept.omega_2) == (0.2, 0.8)
    swept = settings_of(CPU, alpha_sweep(CPU)[0.8], 10.0)
    assert (swept.alpha, swept.beta) == (0.8, 0.2)
    assert swept.iterations == CPU.short


def test_settings_are_the_presets() -> None:
    settings = settings_of(SCALES["paper"], Training("gaae", "digits", 5, "long"), 10.0)
    assert settings == PRESETS["paper"]
    supervised = settings_of(CPU, first_run(CPU, "supervised", "digits"), 10.0)
    assert supervised.labelled_batch == supervised.batch == PRESETS["small"].batch
    small, published = PRESETS["small"], PRESETS["paper"]
    ggan, bigan = (settings_of(CPU, first_run(CPU, model, "digits"), 10.0) for model in ("ggan", "bigan"))
    assert (ggan.alpha, ggan.omega_3) == (small.alpha, small.omega_3)  # a rival gets the same choice
    assert (bigan.alpha, bigan.omega_3) == (published.alpha, published.omega_3) != (ggan.alpha, ggan.omega_3)


def test_a_plan_adds_up() -> None:
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in plan(CPU, PARTS, TASKS).splitlines()
    ]
    assert lines[0][-1] == "processor hours"
    *parts, total = lines[2:]
    assert [row[0] for row in parts] == list(PARTS)
    for column in (1, 2, 3):
        assert sum(int(row[column]) for row in parts) == int(total[column])
    without = plan(CPU, ["table2", "table5", "table6"], ["digits"]).splitlines()
    assert all("| 0 | 0 | 0 | 0.0 |" in line for line in without[2:])


def test_parts_keep_their_order() -> None:
    assert chosen_parts(["tsne", "table1"]) == ["table1", "tsne"]
    assert chosen_parts([]) == list(PARTS)
    with pytest.raises(ValueError, match="No part table9"):
        chosen_parts(["table9"])
