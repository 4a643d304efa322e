"""Waveform → log-mel features as modules, so that they are exported inside the ONNX graph.

Autodecompose, section V-A: 90–7600 Hz band-pass, n_fft = hop = 256, 80 mel bands, then decibels scaled by
(dB + 100) / 200 as in the author's notebook.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from bundle.audio import SAMPLE_RATE_HZ

FLOOR_POWER = 1e-10  # -100 dB
SMALLEST_POWER = 1e-20  # a crop whose peak is below this is digital silence
SPECTROGRAM_WINDOW = 1024  # samples: 64 ms
SPECTROGRAM_HOP = 128  # samples: 8 ms


@dataclass(frozen=True)
class MelSettings:
    """A log-mel front-end. `paper` frames do not overlap; `wide` looks at four hops a frame."""

    window: int = 256  # samples, also the FFT length
    hop: int = 256  # samples: 16 ms
    mels: int = 80
    low_hz: float = 90.0
    high_hz: float = 7600.0
    filter_order: int = 4  # Butterworth band-pass, applied as a weight per FFT bin
    range_db: float | None = None  # decibels below the crop's peak that count; None: absolute, to -100 dB
    mean_below_hz: float | None = None  # the mean over a crop's bands below this is taken out of all bands


FRONTENDS = {
    "paper": MelSettings(),
    "wide": MelSettings(window=1024),
    "level": MelSettings(window=1024, range_db=50.0),
    # Neither level nor offset is heard. The mean is over bands that a telephone has too.
    "relative": MelSettings(window=1024, low_hz=60.0, range_db=65.0, mean_below_hz=3400.0),
}


class LogMel(nn.Module):
    """(batch, samples) in [-1, 1] → (batch, samples / hop, mels), about [0, 0.7] for speech.

    A window longer than the hop is centred on its hop. Reflection extends both ends of the crop, so there are
    always samples / hop frames. With `mean_below_hz` any gain or offset gives the same features,
    about [-0.2, 0.2].
    """

    def __init__(self, settings: MelSettings = FRONTENDS["paper"]) -> None:
        super().__init__()
        self.settings = settings
        bins = settings.window // 2 + 1
        freqs = torch.linspace(0, SAMPLE_RATE_HZ / 2, bins)
        mel = _mel_filters(bins, settings.mels)
        band = _butterworth_power(freqs, settings.low_hz, settings.high_hz, settings.filter_order)
        self.mel: Tensor
        self.window: Tensor
        self.register_buffer("mel", band[:, None] * mel, persistent=False)  # (bins, mels)
        self.register_buffer("window", torch.hann_window(settings.window), persistent=False)
        self.dft = FoldedDft(settings.window)
        if settings.mean_below_hz is not None:
            centres_hz = freqs[mel.argmax(dim=0)]
            self.averaged = int((centres_hz < settings.mean_below_hz).sum())  # bands, from the lowest on
            if settings.range_db is None:
                raise ValueError("mean_below_hz needs range_db: a floor that moves with the level.")

    def forward(self, waveform: Tensor) -> Tensor:
        s = self.settings
        side = (s.window - s.hop) // 2
        if s.mean_below_hz is not None:
            waveform = waveform - waveform.mean(dim=1, keepdim=True)
        if side:
            waveform = F.pad(waveform[:, None], (side, side), mode="reflect")[:, 0]
        windows = cut_windows(waveform, s.window, s.hop)
        power = self._mel_power(windows * self.window)  # (batch, frames, mels)
        if s.mean_below_hz is not None:
            return self._relative(power)
        decibels = 10 * torch.log10(torch.clamp(power, min=FLOOR_POWER))
        if s.range_db is None:
            return (decibels + 100) / 200
        peak = decibels.amax(dim=(1, 2), keepdim=True)
        return (decibels - peak + s.range_db).clamp(min=0) / 200

    def _mel_power(self, frames: Tensor) -> Tensor:
        """(batch, frames, window) → power in each mel band (batch, frames, mels)."""
        if not torch.compiler.is_exporting():
            return power_spectrum(frames, self.dft) @ self.mel
        even, odd = self.dft(frames)
        power: Tensor = even @ self.mel[::2] + odd @ self.mel[1::2]
        return power

    def _relative(self, power: Tensor) -> Tensor:
        """Mel powers (batch, frames, mels) of any level → features. Silence gives zeros."""
        assert self.settings.range_db is not None
        peak = power.amax(dim=(1, 2), keepdim=True).clamp(min=SMALLEST_POWER)
        decibels = 10 * torch.log10((power / peak).clamp(min=10 ** (-self.settings.range_db / 10)))
        return (decibels - decibels[:, :, : self.averaged].mean(dim=(1, 2), keepdim=True)) / 200


class LogSpectrogram(nn.Module):
    """(batch, at least 16000 samples) → (batch, 513 bins, 126 frames) of the middle second, 0 to 8 kHz.

    Barlow Twins for speech, section 2.3. 513 linear bins mean a window of 1024 samples. 126 frames a second
    mean a hop of 128 samples, not the 32 ms of the text. Decibels are scaled as in `LogMel`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(SPECTROGRAM_WINDOW), persistent=False)
        self.dft = FoldedDft(SPECTROGRAM_WINDOW)

    def forward(self, waveform: Tensor) -> Tensor:
        start = (waveform.shape[1] - SAMPLE_RATE_HZ) // 2
        side = SPECTROGRAM_WINDOW // 2
        second = waveform[:, start : start + SAMPLE_RATE_HZ]
        padded = F.pad(second[:, None], (side, side), mode="reflect")[:, 0]
        windows = cut_windows(padded, SPECTROGRAM_WINDOW, SPECTROGRAM_HOP)
        power = power_spectrum(windows * self.window, self.dft)
        decibels = 10 * torch.log10(torch.clamp(power, min=FLOOR_POWER))  # (batch, frames, bins)
        return ((decibels + 100) / 200).transpose(1, 2)


def cut_windows(waveform: Tensor, window: int, hop: int) -> Tensor:
    """(batch, samples) → (batch, frames, window). The window has to be a whole number of hops."""
    # Cut into hops first: a reshape exports better than unfold.
    hops = waveform.reshape(waveform.shape[0], -1, hop)  # (batch, frames + k - 1, hop)
    k = window // hop
    frames = hops.shape[1] - k + 1
    return torch.cat([hops[:, i : i + frames] for i in range(k)], dim=-1)


class FoldedDft(nn.Module):
    """Power at the even and at the odd bins: (…, window) → (…, window / 4 + 1) and (…, window / 4).

    For exported graphs: onnxruntime runs four products of a quarter of the length faster than its DFT
    operator. x[n] + x[N-n] holds all of the cosine part of a frame and x[n] - x[N-n] all of the sine part.
    Each of these is folded about N / 4 once more: at even bins its two halves have the same cosines, at odd
    bins opposite ones. So a quarter of the multiplications of a plain DFT matrix are left. Rows of the
    matrices are for the first quarter, then for what no fold pairs up: sample N / 4, and samples 0 and N / 2.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.quarter = window // 4
        n = torch.arange(window // 2 + 1, dtype=torch.float64)
        angle = 2 * torch.pi * torch.outer(n, n) / window
        inner = list(range(1, self.quarter))
        self.even_cosine: Tensor
        self.odd_cosine: Tensor
        self.even_sine: Tensor
        self.odd_sine: Tensor
        for name, wave, bins, rows in (
            ("even_cosine", angle.cos(), slice(0, None, 2), [*inner, self.quarter, 0]),
            ("odd_cosine", angle.cos(), slice(1, None, 2), [*inner, 0]),
            ("even_sine", angle.sin(), slice(0, None, 2), inner),
            ("odd_sine", angle.sin(), slice(1, None, 2), [*inner, self.quarter]),
        ):
            self.register_buffer(name, wave[rows][:, bins].float().contiguous(), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        q, half = self.quarter, 2 * self.quarter
        head, tail = x[..., 1:half], x[..., half + 1 :].flip(-1)
        even, odd = head + tail, head - tail  # (…, half - 1): samples 1 to half - 1
        first, last = x[..., :1], x[..., half : half + 1]
        near, far, middle = even[..., : q - 1], even[..., q:].flip(-1), even[..., q - 1 : q]
        even_real = torch.cat([near + far, middle, first + last], dim=-1) @ self.even_cosine
        odd_real = torch.cat([near - far, first - last], dim=-1) @ self.odd_cosine
        near, far, middle = odd[..., : q - 1], odd[..., q:].flip(-1), odd[..., q - 1 : q]
        even_imag = (near - far) @ self.even_sine
        odd_imag = torch.cat([near + far, middle], dim=-1) @ self.odd_sine
        return even_real * even_real + even_imag * even_imag, odd_real * odd_real + odd_imag * odd_imag


def power_spectrum(x: Tensor, dft: FoldedDft) -> Tensor:
    """|DFT|² of real frames: (…, window) → (…, bins). Training uses torch's FFT, which is faster still."""
    if not torch.compiler.is_exporting():
        spectrum: Tensor = torch.fft.rfft(x)
        return spectrum.real.square() + spectrum.imag.square()
    even, odd = dft(x)
    pairs = torch.stack([even[..., :-1], odd], dim=-1).flatten(-2)
    return torch.cat([pairs, even[..., -1:]], dim=-1)


def _mel_filters(bins: int, mels: int) -> Tensor:
    """Slaney's mel scale and area normalisation, as in librosa's defaults: (bins, mels)."""
    with warnings.catch_warnings():
        # With 129 bins some of the 80 filters are empty, as in the author's notebook.
        warnings.filterwarnings("ignore", message="At least one mel filterbank")
        filters: Tensor = melscale_fbanks(
            n_freqs=bins,
            f_min=0.0,
            f_max=SAMPLE_RATE_HZ / 2,
            n_mels=mels,
            sample_rate=SAMPLE_RATE_HZ,
            norm="slaney",
            mel_scale="slaney",
        )
    return filters


def _butterworth_power(freqs: Tensor, low_hz: float, high_hz: float, order: int) -> Tensor:
    """|H(f)|² of a Butterworth high-pass at `low_hz` times a low-pass at `high_hz`."""
    high_pass = 1 / (1 + (low_hz / freqs.clamp(min=1e-3)) ** (2 * order))
    low_pass = 1 / (1 + (freqs / high_hz) ** (2 * order))
    return high_pass * low_pass
