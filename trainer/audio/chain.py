"""From the mouth to the file, in the order in which it happens: room, noise, microphone, line.

`trainer.audio.acoustics` draws artificial rooms and adds noise behind the line. Here rooms are measured ones,
noise is in the room, and the line limits both. Levels are left alone: for front-ends that do not hear them.

All filters act on the crop as on a loop. The echo of a crop's end lies over its start, as that of what was
said before would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bundle.audio import SAMPLE_RATE_HZ

CURVE_POINTS = 8  # of the equaliser, evenly spaced on a logarithmic axis
CURVE_LOW_HZ = 100.0
BAND_ORDER = 32  # of the low-pass: as sharp as a resampler
LOW_CUT_ORDER = 2
MU = 255.0  # ITU-T G.711, mu-law


@dataclass(frozen=True)
class ChainSettings:
    """Probabilities are per crop; ranges are uniform."""

    room_probability: float = 0.5
    noise_probability: float = 0.6
    noise_snr_db: tuple[float, float] = (0.0, 25.0)
    equaliser_probability: float = 0.7
    equaliser_db: float = 10.0  # a random smooth curve stays within ± this
    low_cut_probability: float = 0.15
    low_cut_hz: tuple[float, float] = (80.0, 300.0)
    band_probability: float = 0.33
    band_high_hz: tuple[float, float] = (3400.0, 7000.0)
    telephone_probability: float = 0.15  # a brick wall on either side; every second line is mu-law
    telephone_low_hz: tuple[float, float] = (0.0, 0.0)  # up to 400 was tried: docs/results/encoder.md
    telephone_high_hz: tuple[float, float] = (4000.0, 4000.0)
    clip_probability: float = 0.15  # every second one softly
    clip_db: tuple[float, float] = (3.0, 20.0)  # of the peak over full scale


def room_spectra(responses: Sequence[NDArray[np.float32]], samples: int) -> Tensor:
    """Spectra of impulse responses wound onto a loop: (rooms, samples / 2 + 1), unit energy each."""
    loops = np.zeros((len(responses), samples), np.float32)
    for loop, response in zip(loops, responses, strict=True):
        padded = np.pad(response, (0, -response.size % samples))
        loop[:] = padded.reshape(-1, samples).sum(axis=0)
    spectra: Tensor = torch.fft.rfft(F.normalize(torch.from_numpy(loops), dim=1))
    return spectra


def through_chain(
    waveform: Tensor,
    noise: Tensor | None,
    rooms: Tensor | None,
    generator: torch.Generator,
    settings: ChainSettings,
) -> Tensor:
    """Each crop through a chain of its own: (batch, samples), both ends.

    Args:
        noise: (batch, samples) recordings of noise to add, or None for white noise.
        rooms: (batch, samples / 2 + 1) a room's spectrum for each crop, or None for no rooms.
    """
    batch, samples = waveform.shape
    spectrum = torch.fft.rfft(waveform)  # (batch, bins)
    if rooms is not None:
        in_room = _chosen(batch, settings.room_probability, generator, waveform)
        spectrum = torch.where(in_room, spectrum * rooms, spectrum)
    if noise is None:
        noise = torch.randn(batch, samples, generator=generator, device=waveform.device)
    added = torch.fft.rfft(noise)
    snr_db = _uniform(batch, settings.noise_snr_db, generator, waveform)
    noisy = _chosen(batch, settings.noise_probability, generator, waveform)
    scale = _level(spectrum) / _level(added).clamp(min=1e-5) * 10 ** (-snr_db / 20)
    spectrum = spectrum + added * (scale * noisy)
    freqs = torch.linspace(0, SAMPLE_RATE_HZ / 2, spectrum.shape[1], device=waveform.device)
    telephone = _chosen(batch, settings.telephone_probability, generator, waveform)
    spectrum = (
        spectrum
        * _microphone(batch, freqs, generator, settings)
        * _line(telephone, freqs, generator, settings)
    )
    received = torch.fft.irfft(spectrum, samples)
    received = _clip(received, generator, settings)
    coded = telephone[:, 0] & _chosen(batch, 0.5, generator, waveform)[:, 0]
    if coded.any():
        received[coded] = _mu_law(received[coded], generator)
    return received


def _microphone(batch: int, freqs: Tensor, generator: torch.Generator, settings: ChainSettings) -> Tensor:
    """Gains of a random smooth curve: (batch, bins)."""
    curve_db = (
        torch.rand(batch, CURVE_POINTS, generator=generator, device=freqs.device) * 2 - 1
    ) * settings.equaliser_db
    curve_db = curve_db * _chosen(batch, settings.equaliser_probability, generator, freqs)
    octaves = torch.log2(freqs.clamp(min=CURVE_LOW_HZ) / CURVE_LOW_HZ)
    place = octaves / octaves[-1] * (CURVE_POINTS - 1)  # (bins,), 0 … CURVE_POINTS - 1
    left = place.floor().long().clamp(max=CURVE_POINTS - 2)
    right_share = place - left
    gain_db = curve_db[:, left] * (1 - right_share) + curve_db[:, left + 1] * right_share
    return torch.exp(gain_db * (math.log(10) / 20))


def _line(telephone: Tensor, freqs: Tensor, generator: torch.Generator, settings: ChainSettings) -> Tensor:
    """Gains of a low cut, and of a band limit or a telephone's brick walls: (batch, bins)."""
    batch = len(telephone)
    cut_hz = _uniform(batch, settings.low_cut_hz, generator, freqs)
    cut = _chosen(batch, settings.low_cut_probability, generator, freqs)
    ratio = (cut_hz / freqs.clamp(min=1.0)) ** (2 * LOW_CUT_ORDER)
    gains = torch.where(cut, (1 + ratio).rsqrt(), 1.0)
    high_hz = _uniform(batch, settings.band_high_hz, generator, freqs)
    band = _chosen(batch, settings.band_probability, generator, freqs)
    limited = band[:, 0] & ~telephone[:, 0]
    if limited.any():
        low_pass = (1 + (freqs / high_hz[limited]) ** (2 * BAND_ORDER)).rsqrt()
        gains[limited] = gains[limited] * low_pass
    low_hz = _uniform(batch, settings.telephone_low_hz, generator, freqs)
    beyond = (freqs < low_hz) | (freqs >= _uniform(batch, settings.telephone_high_hz, generator, freqs))
    return torch.where(telephone & beyond, 0.0, gains)


def _clip(waveform: Tensor, generator: torch.Generator, settings: ChainSettings) -> Tensor:
    """Too loud for its microphone: cut off at full scale, or bent (tanh)."""
    batch = len(waveform)
    over_db = _uniform(batch, settings.clip_db, generator, waveform)
    clipped = _chosen(batch, settings.clip_probability, generator, waveform)[:, 0]
    soft = _chosen(batch, 0.5, generator, waveform)[clipped]
    if clipped.any():
        x = waveform[clipped]
        x = x / x.abs().amax(dim=1, keepdim=True).clamp(min=1e-5) * 10 ** (over_db[clipped] / 20)
        waveform[clipped] = torch.where(soft, x.tanh(), x.clamp(-1, 1))
    return waveform


def _mu_law(waveform: Tensor, generator: torch.Generator) -> Tensor:
    """G.711 at 8 kHz: eight bits a sample. The waveform holds nothing above 4 kHz."""
    peak_db = _uniform(len(waveform), (-20.0, 0.0), generator, waveform)
    narrow = waveform[:, ::2]
    narrow = narrow / narrow.abs().amax(dim=1, keepdim=True).clamp(min=1e-5) * 10 ** (peak_db / 20)
    code = (narrow.sign() * torch.log1p(MU * narrow.abs()) / math.log1p(MU) * 127).round() / 127
    decoded = code.sign() * torch.expm1(code.abs() * math.log1p(MU)) / MU
    wide: Tensor = torch.fft.irfft(torch.fft.rfft(decoded), waveform.shape[1])
    return wide * 2


def _level(spectrum: Tensor) -> Tensor:
    """Root of a spectrum's energy, (batch, 1)."""
    parts: Tensor = torch.view_as_real(spectrum)
    return parts.square().sum(dim=(1, 2))[:, None].sqrt()


def _uniform(batch: int, limits: tuple[float, float], generator: torch.Generator, like: Tensor) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(batch, 1, generator=generator, device=like.device)


def _chosen(batch: int, probability: float, generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(batch, 1, generator=generator, device=like.device) < probability
