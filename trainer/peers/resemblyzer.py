"""Resemblyzer (GE2E, supervised) behind the interface of our crop encoders.

Only its published weights are used. The package's audio module needs webrtcvad, which has to be compiled, and
a function that scipy no longer has. resemblyzer/voice_encoder.py describes the network: 3 LSTM layers of 256
units, a linear layer, ReLU, unit length. Its input is 40 mel bands of power (25 ms window, 10 ms hop).
"""

from __future__ import annotations

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

from bundle.arrays import Float32

WINDOW = 400  # samples, 25 ms
HOP = 160  # samples, 10 ms
WINDOW_FRAMES = 160  # of a partial utterance
STEP_FRAMES = 77  # rate 1.3 a second
MIN_FILLED = 0.75
TARGET_DBFS = -30
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"  # of version 0.1.4


class PeerMissingError(Exception):
    """The peer's package is missing, or of another version than the published figures."""


class Resemblyzer(nn.Module):
    """`embed` maps crops to unit vectors, as `trainer.bundles.runner.BundleRunner.embed` does."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, num_layers=3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    @classmethod
    def load(cls) -> Resemblyzer:
        """The published weights.

        Raises:
            PeerMissingError: the package is not installed, or is of another version.
        """
        spec = find_spec("resemblyzer")
        if spec is None or spec.origin is None:
            raise PeerMissingError("Resemblyzer is not installed: pip install --no-deps resemblyzer==0.1.4")
        data = Path(spec.origin).with_name("pretrained.pt").read_bytes()
        if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
            raise PeerMissingError("Resemblyzer's weights are not those of 0.1.4: install that version.")
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        model = cls()
        # The checkpoint also holds the two parameters of GE2E's similarity, which embedding does not use.
        model.load_state_dict(
            {k: v for k, v in state["model_state"].items() if not k.startswith("similarity")}
        )
        return model.eval()

    def forward(self, mel: Tensor) -> Tensor:
        """(batch, frames, 40) → (batch, 256) of unit length."""
        _, (hidden, _) = self.lstm(mel)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)

    @torch.inference_mode()
    def embed(self, waveforms: Float32) -> Float32:
        """(crops, samples) at 16 kHz → (crops, 256), each of unit length."""
        return np.concatenate(
            [self(torch.from_numpy(mel_spectrogram(batch))).numpy() for batch in _batches(waveforms)]
        )

    @torch.inference_mode()
    def embed_utterance(self, samples: Float32) -> Float32:
        """An utterance as Resemblyzer embeds it: (samples,) → (256,) of unit length.

        Quiet recordings are raised to -30 dBFS. Windows of 1.6 s, 0.77 s apart, are embedded and averaged. A
        last window less than three quarters full is dropped; a fuller one is padded with zeros.
        """
        level_db = 10 * np.log10(np.mean(samples**2) + 1e-12)
        louder = samples * 10 ** (max(0.0, TARGET_DBFS - level_db) / 20)
        starts = np.arange(0, max(1, len(samples) // HOP + 2 - WINDOW_FRAMES + STEP_FRAMES), STEP_FRAMES)
        filled = (len(samples) - starts * HOP) / (WINDOW_FRAMES * HOP)
        starts = starts[(filled >= MIN_FILLED) | (starts == 0)]
        padded = np.pad(louder, (0, max(0, (starts[-1] + WINDOW_FRAMES) * HOP - len(samples))))
        mel = mel_spectrogram(padded[None].astype(np.float32))[0]
        windows = np.stack([mel[start : start + WINDOW_FRAMES] for start in starts])
        mean = self(torch.from_numpy(windows)).mean(dim=0)
        return np.asarray(nn.functional.normalize(mean, dim=0).numpy())


def mel_spectrogram(waveforms: Float32) -> Float32:
    """(batch, samples) → (batch, frames, 40), power: librosa's `melspectrogram` with its defaults."""
    filters = melscale_fbanks(WINDOW // 2 + 1, 0.0, 8000.0, 40, 16_000, "slaney", "slaney")  # (bins, 40)
    spectrum = torch.stft(
        torch.from_numpy(waveforms),
        WINDOW,
        HOP,
        window=torch.hann_window(WINDOW),
        pad_mode="constant",
        return_complex=True,
    )  # (batch, bins, frames)
    mel: Float32 = (spectrum.abs().square().transpose(1, 2) @ filters).numpy()
    return mel


def _batches(waveforms: Float32) -> list[Float32]:
    return np.split(waveforms, range(64, len(waveforms), 64))
