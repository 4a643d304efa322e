from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from trainer.gaae.data import Batch
from trainer.gaae.objective import GAAE
from trainer.gaae.settings import GaaeSettings


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch(seconds: torch.Tensor) -> Batch:
    return Batch(seconds[:4], seconds[4:], torch.tensor([0, 2]))


@pytest.fixture
def model(tiny: GaaeSettings) -> GAAE:
    torch.manual_seed(0)
    return GAAE(tiny, 3).train()


def touched(network: nn.Module) -> bool:
    """Whether any gradient has reached it."""
    return any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


def test_the_generated_sample_is_a_constant_for_cg_loss(model: GAAE, batch: Batch) -> None:
    model.edc_losses(batch, generator())["Cg_loss"].backward()
    assert not touched(model.edc.D)
    assert touched(model.edc.C)
    assert touched(model.edc.E)


@pytest.mark.parametrize(
    ("loss", "reached"),
    [
        ("G_loss", {"E", "D", "S"}),
        ("R_loss", {"E", "D"}),
        ("Cl_loss", {"E", "C"}),
        ("L_loss", {"E", "L"}),
    ],
)
def test_each_term_teaches_the_networks_the_paper_says(
    model: GAAE, batch: Batch, loss: str, reached: set[str]
) -> None:
    model.edc_losses(batch, generator())[loss].backward()
    networks = {"E": model.edc.E, "D": model.edc.D, "C": model.edc.C, "S": model.S, "L": model.L}
    assert {name for name, network in networks.items() if touched(network)} == reached


def test_what_c_learns_from_is_degraded_where_settings_have_it(tiny: GaaeSettings, batch: Batch) -> None:
    def terms(degrade: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = GAAE(replace(tiny, degrade=degrade), 3).train()
        return model.edc_losses(batch, generator())

    plain, degraded = terms(degrade=False), terms(degrade=True)
    differ = {name for name in plain if not torch.equal(plain[name], degraded[name])}
    assert differ == {"EDC_loss", "Cl_loss", "Cg_loss"}


def test_mixed_precision_hears_as_full_precision_does(model: GAAE, seconds: torch.Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.heard(seconds)
        noisy = model.spectrogram(seconds)
    expected = model.spectrogram(seconds)
    assert torch.equal(mixed, expected)
    assert not torch.equal(noisy, expected)  # what it is spared


def test_the_discriminators_losses_teach_them_alone(model: GAAE, batch: Batch) -> None:
    losses = model.discriminator_losses(batch, generator())
    (losses["S_loss"] + losses["L_d_loss"]).backward()
    assert touched(model.S)
    assert touched(model.L)
    assert not touched(model.edc)


def test_generated_samples_keep_the_style_and_take_the_drawn_label(
    model: GAAE, seconds: torch.Tensor
) -> None:
    model.settings = replace(model.settings, prior_share=0.0)
    x = model.spectrogram(seconds)
    with torch.no_grad():
        model.eval()
        fakes = model.fakes(x, generator())
        expected = model.edc.D(model.edc.E(x)[1], model.one_hot(fakes.y_r))
    torch.testing.assert_close(fakes.generated, expected, atol=1e-5, rtol=0)
    assert float((fakes.y_hat.sum(dim=1) - 1).abs().max()) < 1e-5


def test_a_share_of_the_generated_samples_comes_from_the_prior(model: GAAE, seconds: torch.Tensor) -> None:
    model.eval()  # batch norm in training would mix the samples
    model.settings = replace(model.settings, prior_share=0.5)
    x = model.spectrogram(seconds)
    with torch.no_grad():
        one, other = model.fakes(x, generator()), model.fakes(x.flip(0), generator())
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(one.generated, other.generated, strict=True)]
    assert same == [True] * 3 + [False] * 3
