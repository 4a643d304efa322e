"""The two complementary augmentations of section IV-A, on batches of mel crops (batch, time, mel).

`scramble_time` is A_s: it destroys the content and keeps the voice. `shift_voice` is A_c: it changes the
voice and keeps the content. All randomness comes from the given generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class AugmentSettings:
    """Section IV-A's numbers."""

    pivots: tuple[int, int] = (5, 20)  # cuts along time, inclusive
    time_masks: int = 2
    time_mask_frames: int = 2
    stretch: tuple[float, float] = (0.02, 0.15)  # of the mel axis, both ways
    mel_masks: int = 15  # at most
    mel_mask_bins: int = 5  # at most
    kept_low_bins: int = 10  # never masked: they carry most of the content


def scramble_time(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """A_s: cuts each crop at random pivots, permutes the pieces, then zeroes short stretches of time.

    The paper describes a permutation of the pieces, as here. The author's notebook swaps the two sides of a
    pivot again and again, which amounts to a single rotation.
    """
    return mask_time(permute_pieces(x, generator, settings), generator, settings)


def permute_pieces(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """(batch, time, mel) → the same frames, pieces between pivots in random order."""
    batch, time, _ = x.shape
    device = x.device
    low, high = settings.pivots
    count = torch.randint(low, high + 1, (batch, 1), generator=generator, device=device)
    # The `count` smallest of random numbers at positions 1 … time - 1 are the pivots: distinct by
    # construction.
    rank = torch.rand(batch, time - 1, generator=generator, device=device).argsort(dim=1).argsort(dim=1)
    first = torch.zeros(batch, 1, dtype=torch.long, device=device)
    piece = torch.cat([first, (rank < count).long().cumsum(dim=1)], dim=1)  # (batch, time): 0, 0, 1, 1, 2, …
    key = torch.rand(batch, high + 1, generator=generator, device=device).gather(1, piece)
    order = key.argsort(dim=1, stable=True)  # stable: frames stay in order within a piece
    return x.gather(1, order[:, :, None].expand_as(x))


def mask_time(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """Zeroes `time_masks` stretches of `time_mask_frames` frames."""
    batch, time, _ = x.shape
    size = (batch, settings.time_masks, 1)
    start = torch.randint(0, time - settings.time_mask_frames + 1, size, generator=generator, device=x.device)
    position = torch.arange(time, device=x.device)
    hidden = (position >= start) & (position < start + settings.time_mask_frames)  # (batch, masks, time)
    return x.masked_fill(hidden.any(dim=1)[:, :, None], 0.0)


def shift_voice(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """A_c: stretches or shrinks the mel axis, then zeroes bands of it."""
    return mask_mel(stretch_mel(x, generator, settings), generator, settings)


def stretch_mel(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """Moves bin m to bin m·(1 ± r), r uniform in `stretch`, by cubic (Catmull-Rom) interpolation.

    Bins that would come from beyond the top repeat the top bin.
    """
    batch, _, mels = x.shape
    low, high = settings.stretch
    size = (batch, 1)
    ratio = low + (high - low) * torch.rand(size, generator=generator, device=x.device)
    sign = torch.randint(0, 2, size, generator=generator, device=x.device) * 2 - 1
    source = torch.arange(mels, device=x.device) / (1 + sign * ratio)  # (batch, mels)
    base = source.floor()
    t = source - base
    weights = (  # of the four bins around the source position
        ((-t + 2) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((-3 * t + 4) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    out = torch.zeros_like(x)
    for tap, weight in enumerate(weights, start=-1):
        index = (base.long() + tap).clamp(0, mels - 1)
        out = out + x.gather(2, index[:, None, :].expand_as(x)) * weight[:, None, :]
    return out


def mask_mel(x: Tensor, generator: torch.Generator, settings: AugmentSettings) -> Tensor:
    """Zeroes up to `mel_masks` bands of up to `mel_mask_bins` bins, never the lowest `kept_low_bins`."""
    batch, _, mels = x.shape
    most = settings.mel_masks
    device = x.device
    used = torch.arange(most, device=device) < torch.randint(
        0, most + 1, (batch, 1), generator=generator, device=device
    )
    width = torch.randint(1, settings.mel_mask_bins + 1, (batch, most), generator=generator, device=device)
    room = mels - settings.kept_low_bins - width + 1
    place = torch.rand(batch, most, generator=generator, device=device)
    start = settings.kept_low_bins + (place * room).long()  # (batch, masks)
    bins = torch.arange(mels, device=device)
    hidden = (bins >= start[..., None]) & (bins < (start + width)[..., None]) & used[..., None]
    return x.masked_fill(hidden.any(dim=1)[:, None, :], 0.0)
