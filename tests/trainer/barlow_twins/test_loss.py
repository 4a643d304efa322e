from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard

from trainer.barlow_twins.loss import Projector, barlow_twins_loss


def test_equals_the_formula_written_out() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 32, 6))
    expected = 0.0
    for i in range(6):
        for j in range(6):
            C_ij = np.corrcoef(a[:, i], b[:, j])[0, 1]
            expected += (1 - C_ij) ** 2 if i == j else 0.005 * C_ij**2
    loss = barlow_twins_loss(torch.from_numpy(a), torch.from_numpy(b))
    assert float(loss) == pytest.approx(expected, rel=1e-3)


def test_equal_and_uncorrelated_views_cost_nothing() -> None:
    z = torch.from_numpy(hadamard(16)[:, 1:9]).float()  # columns orthogonal, mean 0
    assert float(barlow_twins_loss(z, z)) == pytest.approx(0, abs=1e-6)


def test_collapse_is_not_a_solution() -> None:
    collapsed = torch.ones(16, 8)
    assert float(barlow_twins_loss(collapsed, collapsed)) == pytest.approx(8, abs=1e-3)


def test_projector_shape() -> None:
    assert Projector(256, 512)(torch.rand(4, 256)).shape == (4, 512)
