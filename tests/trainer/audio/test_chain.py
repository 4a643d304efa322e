from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.audio.chain import ChainSettings, room_spectra, through_chain

STRAIGHT = ChainSettings(
    room_probability=0.0,
    noise_probability=0.0,
    noise_snr_db=(10.0, 10.0),
    equaliser_probability=0.0,
    low_cut_probability=0.0,
    low_cut_hz=(100.0, 100.0),
    band_probability=0.0,
    band_high_hz=(3400.0, 3400.0),
    telephone_probability=0.0,
    clip_probability=0.0,
)
HZ = 16_384 / 16_000  # bins a hertz


@pytest.fixture
def hiss() -> Tensor:
    return 0.1 * torch.randn(16, 16_384, generator=generator())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gains_db(before: Tensor, after: Tensor) -> Tensor:
    """(batch, bins)"""
    return 20 * torch.log10(torch.fft.rfft(after).abs() / torch.fft.rfft(before).abs() + 1e-9)


def test_a_straight_chain_changes_nothing(hiss: Tensor) -> None:
    torch.testing.assert_close(through_chain(hiss.clone(), None, None, generator(), STRAIGHT), hiss)


def test_the_same_draw_gives_the_same_and_other_crops_other_chains(hiss: Tensor) -> None:
    same = hiss[:1].repeat(16, 1)
    received = through_chain(same.clone(), None, None, generator(), ChainSettings())
    assert torch.equal(received, through_chain(same.clone(), None, None, generator(), ChainSettings()))
    assert len({round(float(level), 6) for level in received.square().mean(dim=1)}) == 16


def test_noise_is_as_loud_as_it_says(hiss: Tensor) -> None:
    noise = torch.randn(hiss.shape, generator=generator(1)) * 3
    added = through_chain(hiss, noise, None, generator(), replace(STRAIGHT, noise_probability=1.0)) - hiss
    snr_db = 10 * torch.log10(hiss.square().sum(dim=1) / added.square().sum(dim=1))
    torch.testing.assert_close(snr_db, torch.full((16,), 10.0), atol=0.01, rtol=0)


def test_a_room_is_the_convolution_with_its_response_on_a_loop(hiss: Tensor) -> None:
    response = np.zeros(20_000, np.float32)  # longer than a crop
    response[[0, 100, 16_384 + 7]] = [1.0, 0.5, 0.25]
    rooms = room_spectra([response], 16_384).expand(16, -1)
    received = through_chain(hiss, None, rooms, generator(), replace(STRAIGHT, room_probability=1.0))
    expected = hiss + 0.5 * hiss.roll(100, 1) + 0.25 * hiss.roll(7, 1)
    torch.testing.assert_close(received * np.sqrt(1 + 0.25 + 0.0625), expected, atol=1e-5, rtol=1e-5)


def test_a_band_limit_keeps_what_is_below_and_nothing_above(hiss: Tensor) -> None:
    received = through_chain(hiss, None, None, generator(), replace(STRAIGHT, band_probability=1.0))
    gains = gains_db(hiss, received)
    assert gains[:, 1 : round(3000 * HZ)].abs().max() < 0.1
    assert gains[:, round(3400 * HZ)] == pytest.approx(-3.0, abs=0.1)
    assert gains[:, round(4000 * HZ) :].max() < -35


def test_a_telephone_has_nothing_above_4_khz_and_half_of_them_eight_bits(hiss: Tensor) -> None:
    received = through_chain(hiss, None, None, generator(), replace(STRAIGHT, telephone_probability=1.0))
    spectra, before = torch.fft.rfft(received), torch.fft.rfft(hiss)
    assert spectra[:, 4097:].abs().max() < 1e-3 * spectra.abs().max()
    before[:, 4096:] = 0
    clean = torch.fft.irfft(before, 16_384)
    scale = (received * clean).sum(dim=1, keepdim=True) / clean.square().sum(dim=1, keepdim=True)
    error_db = 10 * torch.log10(
        (received - scale * clean).square().sum(1) / (scale * clean).square().sum(1) + 1e-20
    )
    coded = error_db > -100
    assert 0 < coded.sum() < 16
    assert ((error_db[coded] > -42) & (error_db[coded] < -30)).all()  # G.711's distance


def test_a_telephone_has_nothing_below_its_low_edge(hiss: Tensor) -> None:
    line = replace(STRAIGHT, telephone_probability=1.0, telephone_low_hz=(300, 300))
    received = through_chain(hiss, None, None, generator(), line)
    power = torch.fft.rfft(received).abs().square()
    below, within = power[:, : round(295 * HZ)].mean(dim=1), power[:, round(305 * HZ) : 3000].mean(dim=1)
    assert (below < 1e-2 * within).all()  # mu-law adds noise at every frequency
    assert (below < 1e-8 * within).any()  # a line without it


def test_clipping_leaves_a_flat_top_or_a_bent_one(hiss: Tensor) -> None:
    loud = replace(STRAIGHT, clip_probability=1.0, clip_db=(12.0, 12.0))
    received = through_chain(hiss.clone(), None, None, generator(), loud)
    at_the_top = (received.abs() == 1.0).float().mean(dim=1)
    assert received.abs().max() <= 1
    assert (at_the_top > 0.05).any()
    assert (at_the_top == 0).any()


def test_the_equaliser_stays_within_its_range(hiss: Tensor) -> None:
    gains = gains_db(
        hiss, through_chain(hiss, None, None, generator(), replace(STRAIGHT, equaliser_probability=1.0))
    )
    assert gains[:, 10:].abs().max() <= 10.01
    assert gains[:, 10:].abs().max() > 5
