"""What must stay, stays; what must change, changes (section IV-A)."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.autodecompose.augment import (
    AugmentSettings,
    mask_mel,
    mask_time,
    permute_pieces,
    scramble_time,
    shift_voice,
    stretch_mel,
)

SETTINGS = AugmentSettings()
seeds = st.integers(0, 2**31)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered_frames(batch: int = 4) -> torch.Tensor:
    """Every frame of every crop is its own constant, none of them 0."""
    return torch.arange(1.0, batch * 64 + 1).reshape(batch, 64, 1).expand(batch, 64, 80).contiguous()


@given(seeds)
def test_permuting_keeps_every_frame_whole_and_cuts_at_5_to_20_pivots(seed: int) -> None:
    x = numbered_frames()
    y = permute_pieces(x, generator(seed), SETTINGS)
    assert torch.equal(y[:, :, 0].sort(dim=1).values, x[:, :, 0])  # the same frames, each in its own crop
    assert torch.equal(y, y[:, :, :1].expand_as(y))  # no frame is torn
    breaks = (y[:, 1:, 0] - y[:, :-1, 0] != 1).sum(dim=1)
    assert (breaks >= 1).all()  # the order did change
    assert (breaks <= 20).all()


def test_permuting_reaches_both_ends_of_the_pivot_range() -> None:
    y = permute_pieces(numbered_frames(512), generator(0), SETTINGS)
    breaks = (y[:, 1:, 0] - y[:, :-1, 0] != 1).sum(dim=1)
    assert breaks.min() <= 5
    assert breaks.max() >= 18


@given(seeds)
def test_time_masks_hide_two_stretches_of_two_frames(seed: int) -> None:
    x = numbered_frames()
    y = mask_time(x, generator(seed), SETTINGS)
    hidden = (y == 0).all(dim=2)
    assert (hidden.sum(dim=1) <= 4).all()
    assert (hidden.sum(dim=1) >= 2).all()  # two masks may lie on each other
    assert torch.equal(y[~hidden], x[~hidden])


@given(seeds)
def test_stretching_moves_bands_and_keeps_time(seed: int) -> None:
    x = torch.zeros(8, 64, 80)
    loud = torch.randint(0, 64, (8,), generator=generator(seed))
    x[torch.arange(8), loud, 40] = 1.0
    y = stretch_mel(x, generator(seed), SETTINGS)
    assert torch.equal(y.abs().sum(dim=2) > 0, x.sum(dim=2) > 0)  # only the loud frame has energy
    peak = y[torch.arange(8), loud].argmax(dim=1)
    moved = (peak - 40).abs()
    assert (moved >= 1).all()  # 2 % of 40 is 0.8 bins
    assert (moved <= 7).all()  # 15 % of 40 is 6 bins, 40/0.85 is 47


@given(seeds)
def test_stretching_keeps_a_flat_spectrum_flat(seed: int) -> None:
    x = torch.full((2, 64, 80), 0.4)
    torch.testing.assert_close(stretch_mel(x, generator(seed), SETTINGS), x)


@given(seeds)
def test_mel_masks_spare_the_ten_lowest_bands(seed: int) -> None:
    x = numbered_frames()
    y = mask_mel(x, generator(seed), SETTINGS)
    hidden = (y == 0).all(dim=1)  # (batch, mels)
    assert not hidden[:, :10].any()
    assert (hidden.sum(dim=1) <= 75).all()
    assert torch.equal(y[:, :, ~hidden.any(dim=0)], x[:, :, ~hidden.any(dim=0)])


def test_mel_masks_are_sometimes_none_and_sometimes_many() -> None:
    hidden = (mask_mel(torch.ones(512, 64, 80), generator(1), SETTINGS) == 0).all(dim=1).sum(dim=1)
    assert hidden.min() == 0
    assert hidden.max() > 25


def test_the_two_augmentations_are_complementary_and_repeatable() -> None:
    x = torch.rand(16, 64, 80, generator=generator(3)) + 0.1
    for augment in (scramble_time, shift_voice):
        first, again, other = (augment(x, generator(s), SETTINGS) for s in (5, 5, 6))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert not torch.equal(first, x)
    # A_s keeps each band's values apart from the masked frames; A_c keeps which frames are loud.
    scrambled = scramble_time(x, generator(5), SETTINGS)
    assert (scrambled.sort(dim=1).values[:, 4:] == x.sort(dim=1).values[:, 4:]).float().mean() > 0.2
    shifted = shift_voice(
        torch.rand(1, 64, 1, generator=generator(4)).expand(1, 64, 80), generator(5), SETTINGS
    )
    unmasked = shifted[0][:, shifted[0].sum(dim=0) > 0]
    torch.testing.assert_close(unmasked, unmasked[:, :1].expand_as(unmasked))
