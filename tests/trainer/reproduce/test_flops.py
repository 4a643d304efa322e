"""A step of each paper's setting runs, on shapes alone, and comes to hours of a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from trainer.autodecompose import settings as autodecompose
from trainer.barlow_twins import settings as barlow_twins
from trainer.cli import app
from trainer.gaae.settings import PRESETS
from trainer.reproduce.autodecompose import hours as autodecompose_hours
from trainer.reproduce.barlow_twins import hours
from trainer.reproduce.barlow_twins.plan import SCALES
from trainer.reproduce.flops import PEAKS, UTILISATION, Effort, counted
from trainer.reproduce.gaae.plan import iteration_flops
from trainer.reproduce.syntone.hours import step_flops
from trainer.syntone.settings import SETTINGS


def test_a_product_counts_twice_its_multiplications_forwards_and_back() -> None:
    def step() -> None:
        nn.Linear(30, 20)(torch.empty(10, 30, requires_grad=True)).sum().backward()

    assert counted(step) == 3 * 2 * 10 * 30 * 20


def test_hours_are_flops_at_a_share_of_the_peak() -> None:
    hour = UTILISATION * PEAKS["H100"] * 3600
    assert Effort("", 1, 10, hour / 5).gpu_hours("H100") == pytest.approx(2)


def test_an_iteration_of_gaaes_paper_is_counted() -> None:
    settings = replace(PRESETS["paper"], batch=2, labelled_batch=2)
    a_sample = iteration_flops(settings) / 2
    assert 2e11 < a_sample < 2e12


def test_a_step_of_barlow_twins_paper_is_counted() -> None:
    paper = barlow_twins.PRESETS["paper"]
    assert SCALES["paper"]["settings"] == paper
    assert (paper.depth, paper.batch, paper.latent) == (50, 64, 2048)
    a_crop = hours.step_flops(paper) / (2 * paper.batch)
    assert a_crop == pytest.approx(3 * 2 * 5e9, rel=0.3)  # NOTES of ResNet-50: about 5 billion products


def test_a_step_of_autodecomposes_paper_is_counted() -> None:
    paper = autodecompose.PRESETS["paper"]
    assert (paper.encoder, paper.batch, paper.epochs) == ("large", 32, 500)
    a_step = autodecompose_hours.step_flops(paper)
    products = 64 * paper.batch * 15.6e6  # each weight once a frame, about
    assert a_step == pytest.approx(3 * 2 * products, rel=0.2)
    overfitted = autodecompose.PRESETS["very_large"]
    assert autodecompose_hours.step_flops(overfitted) > 3 * a_step


@pytest.mark.parametrize("model", list(SETTINGS))
def test_a_step_of_each_syntone_model_is_counted(model: str) -> None:
    settings = SETTINGS[model]
    assert step_flops(replace(settings, batch=128)) == 2 * step_flops(replace(settings, batch=64))


def test_the_commands_print_their_plans(corpora: Path) -> None:
    for arguments in (
        ["syntone", "--scale", "paper", "--plan"],
        ["barlow-twins", "--scale", "paper", "--plan", "--data", str(corpora)],
    ):
        result = CliRunner().invoke(app, ["reproduce", *arguments])
        assert result.exit_code == 0, result.output
        assert "H100, hours" in result.output
        assert "| in all |" in result.output
