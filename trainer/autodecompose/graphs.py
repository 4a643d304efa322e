"""The three modules of a bundle. Encoders take the waveform: the service does no signal processing itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.audio.frontends import LogMel
from trainer.autodecompose.networks import FrameNet, pool
from trainer.autodecompose.objective import Objective
from trainer.bundles.voice import WhitenedVoice
from trainer.bundles.winograd import winograd_layers
from trainer.scoring.whitening import Whitening


class VoiceGraph(WhitenedVoice):
    """Waveform (batch, 16384) → unit embedding (batch, 2·width) and voice frames (batch, 64, width).

    Holds the trained encoder's weights of now, transformed: train first, then make the graph.
    """

    def __init__(self, objective: Objective, whitening: Whitening, *, fewer_products: bool = True) -> None:
        super().__init__(whitening)
        self.frontend: LogMel = objective.frontend
        E_s = objective.model.E_s
        self.E_s = _with_fewer_products(E_s) if fewer_products else E_s

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.E_s(self.frontend(waveform))
        return self.embedding(pool(frames)), frames


class ContentGraph(nn.Module):
    """Waveform (batch, 16384) → content frames (batch, 64, width), one per 16 ms."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.frontend: LogMel = objective.frontend
        self.E_c: FrameNet = objective.model.E_c

    def forward(self, waveform: Tensor) -> Tensor:
        frames: Tensor = self.E_c(self.frontend(waveform))
        return frames


class DecoderGraph(nn.Module):
    """Voice and content frames (batch, 64, width) → log-mel (batch, 64, 80)."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.G: FrameNet = objective.model.G

    def forward(self, voice_frames: Tensor, content_frames: Tensor) -> Tensor:
        mel: Tensor = self.G(torch.cat([voice_frames, content_frames], dim=-1))
        return mel


def _with_fewer_products(net: FrameNet) -> nn.Module:
    """What computes the same as `net`; `net` itself where that needs other layers."""
    convs = winograd_layers(net.convs)
    return net if convs is None or net.lstm is not None else nn.Sequential(*convs, net.out)
