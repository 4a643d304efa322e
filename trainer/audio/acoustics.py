"""Random rooms, microphones, lines and noise for each crop of a batch.

Two crops of one recording share its voice, but also its room and microphone. Independent channels keep the
voice embedding from becoming an embedding of the channel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from bundle.audio import SAMPLE_RATE_HZ


@dataclass(frozen=True)
class AcousticSettings:
    """Probabilities are per crop. Values are drawn uniformly from their range."""

    gain_db: tuple[float, float] = (-10.0, 6.0)
    noise_probability: float = 0.5
    noise_snr_db: tuple[float, float] = (5.0, 25.0)
    reverb_probability: float = 0.3
    reverb_rt60_s: tuple[float, float] = (0.1, 0.6)
    reverb_direct_db: tuple[float, float] = (0.0, 12.0)  # direct sound over the tail
    band_probability: float = 0.2
    band_high_hz: tuple[float, float] = (3400.0, 7000.0)  # upper edge of a band-limited line
    band_order: int = 8  # of its Butterworth filter; from 32 on it cuts as sharply as a resampler
    tilt_probability: float = 0.5
    tilt_db: float = 6.0  # a random smooth equaliser stays within ± this


def degrade(
    waveform: Tensor, noise: Tensor | None, generator: torch.Generator, settings: AcousticSettings
) -> Tensor:
    """Channel (reverberation, equaliser, band-limit), then noise, then gain.

    Args:
        waveform: (batch, samples) at 16 kHz, in [-1, 1].
        noise: (batch, samples) recordings of noise to add, or None for white noise.

    Returns:
        (batch, samples), clipped to [-1, 1].
    """
    batch, samples = waveform.shape
    degraded = _through_channel(waveform, generator, settings)
    if noise is None:
        noise = torch.randn(batch, samples, generator=generator, device=waveform.device)
    snr_db = _uniform(batch, settings.noise_snr_db, generator, waveform)
    noisy = _chosen(batch, settings.noise_probability, generator, waveform)
    scale = _rms(degraded) / _rms(noise).clamp(min=1e-5) * 10 ** (-snr_db / 20)
    degraded = degraded + noise * scale * noisy
    gain_db = _uniform(batch, settings.gain_db, generator, waveform)
    return (degraded * 10 ** (gain_db / 20)).clamp(-1, 1)


def _through_channel(waveform: Tensor, generator: torch.Generator, settings: AcousticSettings) -> Tensor:
    batch, samples = waveform.shape
    reverb = _chosen(batch, settings.reverb_probability, generator, waveform)
    band = _chosen(batch, settings.band_probability, generator, waveform)
    tilt = _chosen(batch, settings.tilt_probability, generator, waveform)
    response = _room_responses(batch, generator, settings, waveform)  # (batch, taps)
    high_hz = _uniform(batch, settings.band_high_hz, generator, waveform)
    curve = _equaliser_db(batch, generator, settings, waveform)  # (batch, points)

    touched = (reverb + band + tilt)[:, 0] > 0
    if not touched.any():
        return waveform
    x, reverb, band, tilt = waveform[touched], reverb[touched], band[touched], tilt[touched]
    impulse = torch.zeros_like(response[touched])
    impulse[:, 0] = 1.0
    taps = torch.where(reverb > 0, response[touched], impulse)
    length = -(-(samples + taps.shape[1]) // 1024) * 1024  # a length with small factors: a fast FFT
    spectrum = torch.fft.rfft(x, length) * torch.fft.rfft(taps, length)
    freqs = torch.linspace(0, SAMPLE_RATE_HZ / 2, spectrum.shape[1], device=x.device)
    low_pass = 1 / (1 + (freqs / high_hz[touched]) ** (2 * settings.band_order)).sqrt()
    gain_db = F.interpolate(
        curve[touched][:, None], size=spectrum.shape[1], mode="linear", align_corners=True
    )[:, 0]
    spectrum = spectrum * torch.where(band > 0, low_pass, 1.0) * 10 ** (gain_db * tilt / 20)
    out = waveform.clone()
    out[touched] = torch.fft.irfft(spectrum, length)[:, :samples]
    return out


def _room_responses(
    batch: int, generator: torch.Generator, settings: AcousticSettings, like: Tensor
) -> Tensor:
    """Direct sound, then noise that decays by 60 dB in `reverb_rt60_s`: (batch, taps), unit energy."""
    taps = int(settings.reverb_rt60_s[1] * SAMPLE_RATE_HZ / 2.4)  # past -25 dB the longest tail is cut
    rt60_s = _uniform(batch, settings.reverb_rt60_s, generator, like)
    direct_db = _uniform(batch, settings.reverb_direct_db, generator, like)
    t_s = torch.arange(taps, device=like.device) / SAMPLE_RATE_HZ
    tail = torch.randn(batch, taps, generator=generator, device=like.device)
    tail = tail * torch.exp(-t_s * 3 * math.log(10) / rt60_s)
    tail[:, 0] = 0.0
    tail = F.normalize(tail, dim=1) * 10 ** (-direct_db / 20)
    tail[:, 0] = 1.0
    return F.normalize(tail, dim=1)


def _equaliser_db(batch: int, generator: torch.Generator, settings: AcousticSettings, like: Tensor) -> Tensor:
    """Gains at 6 evenly spaced frequencies from 0 to 8 kHz, joined by straight lines: (batch, 6)."""
    points = torch.rand(batch, 6, generator=generator, device=like.device) * 2 - 1
    return points * settings.tilt_db


def _uniform(batch: int, limits: tuple[float, float], generator: torch.Generator, like: Tensor) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(batch, 1, generator=generator, device=like.device)


def _chosen(batch: int, probability: float, generator: torch.Generator, like: Tensor) -> Tensor:
    return (torch.rand(batch, 1, generator=generator, device=like.device) < probability).to(like.dtype)


def _rms(x: Tensor) -> Tensor:
    return x.square().mean(dim=1, keepdim=True).sqrt()
