from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from torch import nn

from trainer.syntone.dataset import FACTORS, SynTone
from trainer.syntone.objectives import MODELS, AutodecomposeVAE, FactorVAE, Material, with_another
from trainer.syntone.settings import SETTINGS

INDICES = np.arange(0, 600, 20)


def touched(parameters: Iterable[nn.Parameter]) -> bool:
    return any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in parameters)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_weight_learns(name: str, material: Material) -> None:
    torch.manual_seed(0)
    model = MODELS[name](SETTINGS[name])
    losses = model.losses(material, INDICES, torch.Generator().manual_seed(0))
    losses["loss"].backward()
    assert all(touched([p]) for p in model.parameters())
    x = material.features[INDICES]
    assert model.codes(x).shape == (30, SETTINGS[name].latents)
    assert model.decode(model.codes(x)).shape == x.shape


def test_factor_vae_keeps_the_two_players_apart(material: Material) -> None:
    torch.manual_seed(0)
    model = FactorVAE(SETTINGS["factor_vae"])
    generator = torch.Generator().manual_seed(0)
    z = model.encode(material.features[INDICES])[0]
    model.discriminator_loss(z, z.flip(0), generator).backward()
    assert touched(model.discriminator.parameters())
    assert not touched(model.encode.parameters())

    model.zero_grad()
    model.total_correlation(model.codes(material.features[INDICES])).backward()
    assert touched(model.encode.parameters())
    assert not touched(model.discriminator.parameters())


@pytest.mark.parametrize("factor", FACTORS)
def test_a_view_differs_in_its_factor_only(factor: str) -> None:
    grid = SynTone(amplitudes=3, frequencies=5)
    indices = np.arange(len(grid))
    other = with_another(grid, indices, factor, torch.Generator().manual_seed(0))
    differs = grid.levels[indices] != grid.levels[other]
    assert differs[:, FACTORS.index(factor)].all()
    assert differs.sum() == len(grid)


def test_autodecompose_s_encoders_never_see_what_their_view_lost(material: Material) -> None:
    """Clips that differ in frequency only give the timbre encoder views of the same distribution."""
    torch.manual_seed(0)
    model = AutodecomposeVAE(SETTINGS["autodecompose"])
    seen: list[torch.Tensor] = []
    model.timbre.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    grid = material.grid
    model.losses(material, INDICES, torch.Generator().manual_seed(0))
    for view, index in zip(seen[0], INDICES, strict=True):
        timbre, amplitude, frequency = grid.levels[index]
        same_sound = grid.index([[timbre, amplitude, f] for f in range(grid.frequencies) if f != frequency])
        assert (material.features[same_sound] == view).flatten(1).all(1).any()


@pytest.mark.parametrize("factor", ["timbre", "frequency"])
def test_a_view_in_training_is_no_clip_that_is_held_out(factor: str, material: Material) -> None:
    views = with_another(
        material.grid, material.trained_on, factor, torch.Generator().manual_seed(0), material.held_out
    )
    assert not material.held_out[views].any()


@pytest.mark.parametrize("name", SETTINGS)
def test_no_loss_depends_on_clips_that_are_held_out(name: str, material: Material) -> None:
    torch.manual_seed(0)
    model = MODELS[name](SETTINGS[name])
    features = material.features.clone()
    features[torch.from_numpy(material.held_out)] = torch.nan
    losses = model.losses(
        Material(material.grid, features), material.trained_on, torch.Generator().manual_seed(0)
    )
    assert torch.isfinite(losses["loss"])


def test_features_of_another_grid_are_refused(material: Material) -> None:
    with pytest.raises(ValueError, match="600 features for a grid of 32000"):
        Material(SynTone(), material.features)
