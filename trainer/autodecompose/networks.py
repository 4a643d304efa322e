"""E_s, E_c and G of section V-A, chosen by name.

The paper writes "3 conv. (512 filters) + BNR + 3 LSTM (256 units) + embd128". That is: convolutions along
time, each followed by batch norm and ReLU, stacked LSTMs, then a linear layer on every frame. Batch norm uses
the Keras defaults behind the paper (eps 1e-3, momentum 0.99).

Instance norm in the content encoder is not the paper's. Voice conversion uses it to keep the speaker out
(Chou et al. 2019, "One-shot voice conversion by separating speaker and content representations with instance
normalization").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TrunkSettings:
    """Layers before the last linear one. The paper does not give the kernel; 5 frames are 80 ms."""

    convs: int = 0
    filters: int = 0
    kernel: int = 5
    lstms: int = 0
    units: int = 0
    dense: int = 0  # neurons of one dense layer, 0 for none
    dense_norm: bool = False  # BNR behind the dense layer


ENCODERS = {
    "large": TrunkSettings(convs=3, filters=512, lstms=3, units=256),
    "lstm": TrunkSettings(lstms=3, units=256),
    "conv": TrunkSettings(convs=3, filters=512),
    "dense": TrunkSettings(dense=512, dense_norm=True),
    "very_large": TrunkSettings(convs=3, filters=512, lstms=3, units=1024),
    "fast": TrunkSettings(convs=3, filters=256),
}
DECODERS = {
    "large": TrunkSettings(convs=2, filters=512, lstms=2, units=512),
    "lstm": TrunkSettings(lstms=2, units=512),
    "conv": TrunkSettings(convs=2, filters=512),
    "dense": TrunkSettings(dense=1024),
    "very_large": TrunkSettings(convs=2, filters=1024, lstms=2, units=1024),
    "fast": TrunkSettings(convs=2, filters=256),
}


def batch_norm(channels: int) -> nn.Module:
    """Keras's defaults: torch's momentum is 1 minus theirs."""
    return nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01)


def instance_norm(channels: int) -> nn.Module:
    """Removes each crop's mean and deviation over time, which hold the voice and the channel."""
    return nn.InstanceNorm1d(channels, eps=1e-3, affine=True)


NORMS = {"batch": batch_norm, "instance": instance_norm}


class FrameNet(nn.Module):
    """(batch, time, in) → (batch, time, out): convolutions, a dense layer or LSTMs, then a linear layer."""

    def __init__(self, settings: TrunkSettings, inputs: int, outputs: int, norm: str = "batch") -> None:
        super().__init__()
        make_norm = NORMS[norm]
        convs: list[nn.Module] = []
        width = inputs
        for _ in range(settings.convs):
            convs += [
                nn.Conv1d(width, settings.filters, settings.kernel, padding="same", bias=False),
                make_norm(settings.filters),
                nn.ReLU(inplace=True),
            ]
            width = settings.filters
        if settings.dense:  # a dense layer on each frame is a convolution of one frame
            convs += [nn.Conv1d(width, settings.dense, 1)]
            convs += [make_norm(settings.dense)] if settings.dense_norm else []
            convs += [nn.ReLU(inplace=True)]
            width = settings.dense
        self.convs = nn.Sequential(*convs)
        self.lstm: nn.LSTM | None = None
        if settings.lstms:
            self.lstm = nn.LSTM(width, settings.units, settings.lstms, batch_first=True)
            width = settings.units
        self.out = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        if len(self.convs):
            x = self.convs(x.transpose(1, 2)).transpose(1, 2)
        if self.lstm is not None:
            x, _ = self.lstm(x)
        y: Tensor = self.out(x)
        return y


def pool(frames: Tensor) -> Tensor:
    """Mean and standard deviation over time: (batch, time, width) → (batch, 2 · width).

    The paper leaves open how a crop becomes one vector. Flattened frames classify far worse.
    """
    mean = frames.mean(dim=1)
    variance = (frames - mean[:, None]).square().mean(dim=1)
    return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)


class Autodecompose(nn.Module):
    """G(E_s(s), E_c(c)), equation 2. All on mel features (batch, time, mels)."""

    def __init__(
        self,
        encoder: str = "large",
        decoder: str = "large",
        mels: int = 80,
        width: int = 128,
        content_norm: str = "batch",
    ) -> None:
        super().__init__()
        self.width = width
        self.E_s = FrameNet(ENCODERS[encoder], mels, width)
        self.E_c = FrameNet(ENCODERS[encoder], mels, width, content_norm)
        self.G = FrameNet(DECODERS[decoder], 2 * width, mels)

    def decode(self, voice: Tensor, content: Tensor) -> Tensor:
        """Frames of both encoders (batch, time, width) → mel (batch, time, mels)."""
        mel: Tensor = self.G(torch.cat([voice, content], dim=-1))
        return mel
