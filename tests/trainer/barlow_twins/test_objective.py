from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainer.barlow_twins.objective import NORMALISERS, BarlowTwins, normaliser
from trainer.barlow_twins.settings import PRESETS, BarlowTwinsSettings
from trainer.training.batches import PairBatch

TINY = BarlowTwinsSettings(width=4, projector_width=16, latent=8)


def noise_batch(seed: int = 0, size: int = 8) -> PairBatch:
    generator = torch.Generator().manual_seed(seed)
    first, second = 0.1 * torch.randn(2, size, 16384, generator=generator)
    return PairBatch(first, second, None)


def losses(settings: BarlowTwinsSettings, batch: PairBatch) -> dict[str, float]:
    torch.manual_seed(0)
    values = BarlowTwins(settings)(batch, torch.Generator().manual_seed(1))
    return {name: float(value.detach()) for name, value in values.items()}


def test_loss_is_equation_1() -> None:
    parts = losses(TINY, noise_batch())
    assert parts["loss"] == pytest.approx(parts["invariance"] + 0.005 * parts["redundancy"], rel=1e-5)
    assert 0 < parts["invariance"] < 8 * 4


def test_original_is_the_correlation_of_the_projections() -> None:
    torch.manual_seed(0)
    model = BarlowTwins(TINY)
    C = model.correlation(noise_batch(), torch.Generator().manual_seed(1))
    x = model.views(noise_batch(), torch.Generator().manual_seed(1))
    z1, z2 = model.projector(model.backbone(x)).detach().double().chunk(2)
    expected = torch.corrcoef(torch.cat([z1, z2], dim=1).T)[:8, 8:]
    assert torch.allclose(C.double(), expected, atol=1e-2)  # batch norm's eps


def test_layer_norm_makes_each_sample_alike() -> None:
    z = torch.randn(32, 64) * 3 + 1
    y = normaliser("ln", 64)(z)
    assert torch.allclose(y.mean(dim=1), torch.zeros(32), atol=1e-5)
    assert torch.allclose(y.std(dim=1, correction=0), torch.ones(32), atol=1e-3)


def test_batch_norm_variant_learns_its_shift() -> None:
    layer = normaliser("bn", 4)
    torch.nn.init.constant_(layer.bias, 5.0)  # type: ignore[arg-type]
    assert torch.allclose(layer(torch.randn(64, 4)).mean(dim=0), torch.full((4,), 5.0), atol=1e-4)


@pytest.mark.parametrize("name", NORMALISERS)
def test_every_variant_trains(name: str) -> None:
    torch.manual_seed(0)
    model = BarlowTwins(replace(TINY, normalise=name))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    values = []
    for _ in range(12):
        loss = model(noise_batch(), torch.Generator().manual_seed(0))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.7 * values[0]


def test_views_are_of_one_crop_or_of_one_recording() -> None:
    batch = noise_batch()
    still = replace(
        TINY.acoustics,
        gain_db=(0.0, 0.0),
        noise_probability=0.0,
        reverb_probability=0.0,
        band_probability=0.0,
        tilt_probability=0.0,
    )
    generator = torch.Generator()
    one, other = BarlowTwins(replace(TINY, acoustics=still)).views(batch, generator).chunk(2)
    assert torch.equal(one, other)
    two = BarlowTwins(replace(TINY, acoustics=still, positives="recording"))
    first, second = two.views(batch, generator).chunk(2)
    assert torch.equal(first, two.spectrograms(batch.first))
    assert torch.equal(second, two.spectrograms(batch.second))


def test_settings_survive_json_and_the_paper_has_its_numbers() -> None:
    paper = PRESETS["paper"]
    assert BarlowTwinsSettings.from_json(paper.to_json()) == paper
    assert (paper.depth, paper.latent, paper.epochs, paper.batch) == (50, 2048, 50, 64)


@pytest.mark.parametrize("wrong", [{"normalise": "none"}, {"positives": "speaker"}])
def test_unknown_choices_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BarlowTwins(replace(TINY, **wrong))  # type: ignore[arg-type]
