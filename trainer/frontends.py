"""Waveform → log-mel features as modules, so that they are exported inside the ONNX graph.

Autodecompose, section V-A: 90–7600 Hz band-pass, n_fft = hop = 256, 80 mel bands, then decibels scaled by
(dB + 100) / 200 as in the author's notebook.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

SAMPLE_RATE_HZ = 16_000
FLOOR_POWER = 1e-10  # -100 dB


@dataclass(frozen=True)
class MelSettings:
    """A log-mel front-end. `paper` frames do not overlap; `wide` looks at four hops a frame."""

    window: int = 256  # samples, also the FFT length
    hop: int = 256  # samples: 16 ms
    mels: int = 80
    low_hz: float = 90.0
    high_hz: float = 7600.0
    filter_order: int = 4  # Butterworth band-pass, applied as a weight per FFT bin


FRONTENDS = {"paper": MelSettings(), "wide": MelSettings(window=1024)}


class LogMel(nn.Module):
    """(batch, samples) in [-1, 1] → (batch, samples / hop, mels), about [0, 0.7] for speech.

    A window longer than the hop is centred on its hop: the ends of the crop are extended by reflection, so
    there are always samples / hop frames.
    """

    def __init__(self, settings: MelSettings = FRONTENDS["paper"]) -> None:
        super().__init__()
        self.settings = settings
        bins = settings.window // 2 + 1
        # Slaney's mel scale and area normalisation, as in librosa's defaults. With 129 bins some of the 80
        # filters are empty: the same in the original.
        freqs = torch.linspace(0, SAMPLE_RATE_HZ / 2, bins)
        mel = _mel_filters(bins, settings.mels)
        band = _butterworth_power(freqs, settings.low_hz, settings.high_hz, settings.filter_order)
        self.mel: Tensor
        self.window: Tensor
        self.dft: Tensor
        self.register_buffer("mel", band[:, None] * mel, persistent=False)  # (bins, mels)
        self.register_buffer("window", torch.hann_window(settings.window), persistent=False)
        self.register_buffer("dft", _folded_dft(settings.window), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        s = self.settings
        side = (s.window - s.hop) // 2
        if side:
            waveform = F.pad(waveform[:, None], (side, side), mode="reflect")[:, 0]
        # Cut into hops first: a reshape exports better than unfold, and window / hop is a small whole number.
        hops = waveform.reshape(waveform.shape[0], -1, s.hop)  # (batch, frames + k - 1, hop)
        k = s.window // s.hop
        frames = hops.shape[1] - k + 1
        x = torch.cat([hops[:, i : i + frames] for i in range(k)], dim=-1)  # (batch, frames, window)
        x = x * self.window
        power = self._power(x)  # (batch, frames, bins)
        decibels = 10 * torch.log10(torch.clamp(power @ self.mel, min=FLOOR_POWER))  # (batch, frames, mels)
        return (decibels + 100) / 200

    def _power(self, x: Tensor) -> Tensor:
        """|DFT|² of real frames.

        The exported graph uses two half-length matrix products, which onnxruntime runs faster than its DFT
        operator: x[n] + x[N-n] holds all of the cosine part and x[n] - x[N-n] all of the sine part, so
        folding the frame first halves the work of a plain DFT matrix. torch's own FFT is faster still, so
        training uses that.
        """
        if not torch.compiler.is_exporting():
            return torch.view_as_real(torch.fft.rfft(x)).square().sum(dim=-1)
        half = self.settings.window // 2
        head, tail = x[..., 1:half], x[..., half + 1 :].flip(-1)
        even = torch.cat([x[..., :1], head + tail, x[..., half : half + 1]], dim=-1)  # (…, half + 1)
        odd = head - tail  # (…, half - 1)
        real = even @ self.dft[: half + 1]
        imag = odd @ self.dft[half + 1 :]
        return real * real + imag * imag


def _folded_dft(window: int) -> Tensor:
    """Rows: half + 1 cosines, then half - 1 sines; columns: the half + 1 bins."""
    half = window // 2
    n = torch.arange(half + 1, dtype=torch.float64)
    angle = 2 * torch.pi * torch.outer(n, n) / window
    return torch.cat([angle.cos(), angle[1:half].sin()]).float()  # (window, bins)


def _mel_filters(bins: int, mels: int) -> Tensor:
    return melscale_fbanks(
        n_freqs=bins,
        f_min=0.0,
        f_max=SAMPLE_RATE_HZ / 2,
        n_mels=mels,
        sample_rate=SAMPLE_RATE_HZ,
        norm="slaney",
        mel_scale="slaney",
    )


def _butterworth_power(freqs: Tensor, low_hz: float, high_hz: float, order: int) -> Tensor:
    """|H(f)|² of a Butterworth high-pass at `low_hz` times a low-pass at `high_hz`."""
    high_pass = 1 / (1 + (low_hz / freqs.clamp(min=1e-3)) ** (2 * order))
    low_pass = 1 / (1 + (freqs / high_hz) ** (2 * order))
    return high_pass * low_pass
