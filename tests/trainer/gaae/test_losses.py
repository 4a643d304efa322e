"""Equations 1 to 8 against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from trainer.gaae import losses
from trainer.gaae.settings import PRESETS

PAPER = PRESETS["paper"]


def test_equation_1_averages_the_scores_of_both_fakes() -> None:
    assert float(losses.g_loss(torch.tensor([1.0, 3.0]), torch.tensor([-4.0, 2.0]))) == -0.5 * (2 - 1)


def test_equation_2() -> None:
    assert float(losses.l_loss(torch.tensor([1.0, -4.0]))) == 1.5


def test_equation_3() -> None:
    assert float(losses.r_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]]))) == 5


def test_equations_4_and_5_are_the_cross_entropy() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
    expected = -(math.log(0.75) + math.log(0.5)) / 2
    assert float(losses.classification_loss(logits, torch.tensor([0, 1]))) == pytest.approx(expected)


def test_equation_6_has_the_papers_weights() -> None:
    terms = {
        name: torch.tensor(value)
        for name, value in {
            "G_loss": 1.0,
            "R_loss": 0.1,
            "Cl_loss": 2.0,
            "Cg_loss": 4.0,
            "L_loss": 3.0,
        }.items()
    }
    expected = 0.5 * (0.6 * 1 + 0.4 * 20 * 0.1) + 0.5 * (0.25 * 2 + 0.25 * 4 + 0.5 * 3)
    assert float(losses.edc_loss(terms, PAPER)) == pytest.approx(expected)
    only_r = replace(PAPER, alpha=1.0, beta=0.0, omega_1=0.0, omega_2=1.0)
    assert float(losses.edc_loss(terms, only_r)) == pytest.approx(2)


def test_equation_7_is_a_hinge_and_the_fakes_count_half_each() -> None:
    real, reconstructed, generated = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 1.0]), torch.tensor([0.0])
    expected = (0 + 0.5) / 2 + 0.5 * ((0 + 2) / 2 + 1)
    assert float(losses.s_discrimination_loss(real, reconstructed, generated)) == pytest.approx(expected)


def test_equation_8() -> None:
    prior, encoded = torch.tensor([1.5, -1.0]), torch.tensor([-0.5, -2.0])
    assert float(losses.l_discrimination_loss(prior, encoded)) == pytest.approx((0 + 2) / 2 + (0.5 + 0) / 2)
