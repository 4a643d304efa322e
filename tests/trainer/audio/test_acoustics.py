from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainer.audio.acoustics import AcousticSettings, degrade

NOTHING = AcousticSettings(
    gain_db=(0.0, 0.0), noise_probability=0, reverb_probability=0, band_probability=0, tilt_probability=0
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def speechlike() -> torch.Tensor:
    return 0.05 * torch.randn(8, 16384, generator=generator(9))


def test_nothing_asked_for_nothing_done(speechlike: torch.Tensor) -> None:
    assert torch.equal(degrade(speechlike, None, generator(), NOTHING), speechlike)


def test_repeatable_and_different_for_each_crop(speechlike: torch.Tensor) -> None:
    x = speechlike[:1].repeat(8, 1)
    y = degrade(x, None, generator(), AcousticSettings())
    assert torch.equal(y, degrade(x, None, generator(), AcousticSettings()))
    assert len(torch.unique(y, dim=0)) == 8
    assert y.isfinite().all()
    assert y.abs().max() <= 1


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_is_mixed_at_the_level_asked_for(speechlike: torch.Tensor, snr_db: float) -> None:
    noise = torch.rand(8, 16384, generator=generator(2)) * 2 - 1
    settings = replace(NOTHING, noise_probability=1, noise_snr_db=(snr_db, snr_db))
    added = degrade(speechlike, noise, generator(), settings) - speechlike
    measured = 20 * torch.log10(speechlike.norm(dim=1) / added.norm(dim=1))
    torch.testing.assert_close(measured, torch.full((8,), snr_db), atol=0.2, rtol=0)


def test_gain_is_within_its_range(speechlike: torch.Tensor) -> None:
    y = degrade(speechlike, None, generator(), replace(NOTHING, gain_db=(-10.0, -5.0)))
    gain_db = 20 * torch.log10(y.norm(dim=1) / speechlike.norm(dim=1))
    assert (gain_db >= -10.01).all()
    assert (gain_db <= -4.99).all()


def test_a_band_limited_line_has_no_high_frequencies(speechlike: torch.Tensor) -> None:
    settings = replace(NOTHING, band_probability=1, band_high_hz=(3400.0, 3400.0))
    before, after = (
        torch.fft.rfft(x).abs()[:, round(6000 / 8000 * 8192) :].norm()
        for x in (speechlike, degrade(speechlike, None, generator(), settings))
    )
    assert after < before / 50


def test_a_room_answers_after_the_sound() -> None:
    click = torch.zeros(4, 16384)
    click[:, 1000] = 0.5
    y = degrade(click, None, generator(), replace(NOTHING, reverb_probability=1))
    assert y[:, :1000].abs().max() < 1e-4
    assert (y[:, 1001:4000].abs().sum(dim=1) > 0.1).all()
    assert (y[:, 1001:2000].norm(dim=1) > y[:, 3000:4000].norm(dim=1)).all()  # it decays


def test_the_equaliser_stays_within_its_range(speechlike: torch.Tensor) -> None:
    y = degrade(speechlike, None, generator(), replace(NOTHING, tilt_probability=1))
    ratio = torch.fft.rfft(y).abs() / torch.fft.rfft(speechlike).abs()
    middle = 20 * torch.log10(ratio[:, 500:7500].median(dim=1).values)
    assert (middle.abs() < 6.5).all()
    assert not torch.allclose(y, speechlike)
