from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from trainer.gaae import losses
from trainer.gaae.data import GaaeBatch
from trainer.gaae.objective import GAAE
from trainer.gaae.settings import GaaeSettings


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch(seconds: torch.Tensor) -> GaaeBatch:
    return GaaeBatch(seconds[:4], seconds[4:], torch.tensor([0, 2]))


@pytest.fixture
def model(tiny: GaaeSettings) -> GAAE:
    torch.manual_seed(0)
    return GAAE(tiny, 3).train()


def touched(network: nn.Module) -> bool:
    """Whether any gradient has reached it."""
    return any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


def test_the_generated_sample_is_a_constant_for_cg_loss(model: GAAE, batch: GaaeBatch) -> None:
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
    model: GAAE, batch: GaaeBatch, loss: str, reached: set[str]
) -> None:
    model.edc_losses(batch, generator())[loss].backward()
    networks = {"E": model.edc.E, "D": model.edc.D, "C": model.edc.C, "S": model.S, "L": model.L}
    assert {name for name, network in networks.items() if touched(network)} == reached


def test_s_and_l_are_asked_about_each_sample_with_its_own_label(model: GAAE, batch: GaaeBatch) -> None:
    """Equations 7 and 8 from one pass of each network a kind of sample."""
    model.eval()
    S, L, one_hot = model.S, model.L, model.one_hot
    with torch.no_grad():
        values = model.discriminator_losses(batch, generator())
        drawing = generator()
        x_u, x_l = model.spectrograms(batch.x_u), model.spectrograms(batch.x_l)
        fakes = model.fakes(x_u, drawing)
        z = model.drawn_latents(len(x_u), drawing)
        guided, style = model.edc.E(x_u)
        y_hat = model.edc.C(guided).softmax(dim=1)
        reconstructed = model.edc.D(style, y_hat)
        real = torch.cat([S(x_u, y_hat), S(x_l, one_hot(batch.y_l))])
        generated = S(fakes.generated, one_hot(fakes.y_r))
        s_loss = losses.s_discrimination_loss(real, S(reconstructed, y_hat), generated)
        l_loss = losses.l_discrimination_loss(L(z), L(style))
    torch.testing.assert_close(values["S_loss"], s_loss, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(values["L_d_loss"], l_loss, atol=1e-5, rtol=1e-5)


def test_each_term_of_edc_is_about_its_own_sample_and_label(model: GAAE, batch: GaaeBatch) -> None:
    """Equations 1 to 5 in the same way."""
    model.eval()
    model.settings = replace(model.settings, degrade=False)
    E, D, C, S = model.edc.E, model.edc.D, model.edc.C, model.S
    with torch.no_grad():
        values = model.edc_losses(batch, generator())
        x_u, x_l = model.spectrograms(batch.x_u), model.spectrograms(batch.x_l)
        fakes = model.fakes(x_u, generator())
        guided, style = E(x_u)
        y_hat = C(guided).softmax(dim=1)
        reconstructed = D(style, y_hat)
        expected = {
            "G_loss": losses.g_loss(S(reconstructed, y_hat), S(fakes.generated, model.one_hot(fakes.y_r))),
            "R_loss": losses.r_loss(reconstructed, x_u),
            "Cl_loss": losses.classification_loss(C(E(x_l)[0]), batch.y_l),
            "Cg_loss": losses.classification_loss(C(E(fakes.generated)[0]), fakes.y_r),
            "L_loss": losses.l_loss(model.L(style)),
        }
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, atol=1e-5, rtol=1e-5)


def test_what_c_learns_from_is_degraded_where_settings_have_it(tiny: GaaeSettings, batch: GaaeBatch) -> None:
    def terms(degrade: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = GAAE(replace(tiny, degrade=degrade), 3).train()
        return model.edc_losses(batch, generator())

    plain, degraded = terms(degrade=False), terms(degrade=True)
    differ = {name for name in plain if not torch.equal(plain[name], degraded[name])}
    assert differ == {"EDC_loss", "Cl_loss", "Cg_loss"}


def test_mixed_precision_hears_as_full_precision_does(model: GAAE, seconds: torch.Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.spectrograms(seconds)
        noisy = model.spectrogram(seconds)
    expected = model.spectrogram(seconds)
    assert torch.equal(mixed, expected)
    assert not torch.equal(noisy, expected)  # what it is spared


def test_the_discriminators_losses_teach_them_alone(model: GAAE, batch: GaaeBatch) -> None:
    values = model.discriminator_losses(batch, generator())
    (values["S_loss"] + values["L_d_loss"]).backward()
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
