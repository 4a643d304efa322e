"""What each rival's losses teach, and whom; a few iterations on real digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from trainer.gaae.adversarial import Adversarial
from trainer.gaae.data import GaaeSampler
from trainer.gaae.networks import Decoder
from trainer.gaae.run import make_sampler
from trainer.gaae.settings import PRESETS
from trainer.gaae.train import iteration, make_optimizer, train
from trainer.reproduce.gaae.baselines import GGAN, BiGAN, BigGAN
from trainer.reproduce.gaae.baselines.bigan import PairDiscriminator
from trainer.reproduce.gaae.recipes import Training
from trainer.reproduce.gaae.trainings import GaaeRuns

CPU = torch.device("cpu")
CLASSES = 10


@pytest.fixture(scope="module")
def sampler(runs: GaaeRuns) -> GaaeSampler:
    training = Training("ggan", "digits", 50, "short")
    return make_sampler(
        runs.settings(training), runs.guidance(training), runs.folder / "cache", Console(quiet=True)
    )


def make(name: str, runs: GaaeRuns) -> Adversarial:  # type: ignore[type-arg]
    torch.manual_seed(0)
    settings = runs.scale.settings()
    if name == "bigan":
        return BiGAN(settings, CLASSES, Decoder(settings, None).eval()).train()
    if name == "ggan":
        return GGAN(settings, CLASSES).train()
    return BigGAN(settings, CLASSES, supervised=name == "supervised").train()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("name", "hears"),
    [
        ("supervised", {"x_l", "y_l"}),
        ("unsupervised", {"x_u"}),
        ("ggan", {"x_u", "x_l", "y_l"}),
        ("bigan", {"x_u"}),
    ],
)
def test_each_discriminator_hears_what_the_model_may(
    name: str, hears: set[str], runs: GaaeRuns, sampler: GaaeSampler
) -> None:
    model, batch = make(name, runs).eval(), sampler.at(0)
    others = {"x_u": sampler.at(5).x_u, "x_l": sampler.at(5).x_l, "y_l": (batch.y_l + 1) % CLASSES}
    before = model.discriminator_losses(batch, generator())["S_loss"]
    assert torch.isfinite(before)
    for part, other in others.items():
        after = model.discriminator_losses(replace(batch, **{part: other}), generator())["S_loss"]
        assert (after != before) == (part in hears), part


@pytest.mark.parametrize("name", ["supervised", "unsupervised", "ggan", "bigan"])
def test_an_iteration_moves_every_network_and_no_other(
    name: str, runs: GaaeRuns, sampler: GaaeSampler
) -> None:
    model = make(name, runs)
    before = {key: value.clone() for key, value in model.named_parameters()}
    iteration(model, map(sampler.at, range(3)), make_optimizer(model), 0, CPU)
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    still = set(before) - moved
    # A bias or a gain may have no gradient yet; what must not move is BiGAN's generator.
    assert {key for key in still if key.startswith("G.")} == {key for key in before if key.startswith("G.")}
    assert {key.split(".")[0] for key in moved} == {"edc", "S", "L"} & {key.split(".")[0] for key in before}


def test_ggan_generates_by_its_latent_alone(runs: GaaeRuns) -> None:
    model = make("ggan", runs).eval()
    D = model.edc.D
    z = torch.randn(4, runs.scale.settings().latent_dim, generator=generator())
    zero, first = (torch.eye(CLASSES)[[y] * 4] for y in (0, 1))
    assert not torch.equal(D(z, zero), D(z, first))
    assert torch.equal(D(z, zero), D.of_latent(D.latent(z, zero)))
    assert not any("gain" in key for key, _ in D.named_parameters())  # no label reaches its batch norms


def test_ggan_learns_nothing_about_generating_from_its_classifier(
    runs: GaaeRuns, sampler: GaaeSampler
) -> None:
    model = make("ggan", runs)
    losses = model.edc_losses(sampler.at(0), generator())
    losses["Cg_loss"].backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in model.edc.D.parameters())
    assert any(parameter.grad is not None for parameter in model.edc.E.parameters())
    losses["G_loss"].backward()
    assert all(parameter.grad is not None for parameter in model.edc.D.F.parameters())


def test_bigan_stays_on_top_of_its_generator(runs: GaaeRuns, sampler: GaaeSampler, tmp_path: Path) -> None:
    model = make("bigan", runs)
    assert not model.G.training
    before = {key: value.clone() for key, value in model.G.state_dict().items()}
    model.settings = replace(model.settings, iterations=2)
    features = train(model, sampler, tmp_path, CPU)
    assert all(torch.equal(value, before[key]) for key, value in model.G.state_dict().items())
    x = torch.zeros(2, 128, 64)
    assert features(x).shape == (2, model.settings.latent_dim)
    assert not features.training


def test_the_pair_discriminator_is_table_19() -> None:
    settings = PRESETS["paper"]
    S = PairDiscriminator(settings)
    widths = [layer.weight.shape[::-1] for layer in S.head if isinstance(layer, torch.nn.Linear)]
    assert widths == [(256 + 128, 128), (128, 1)]
