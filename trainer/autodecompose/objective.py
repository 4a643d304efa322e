"""Reconstruction from voice and content, plus agreement of the voices of two crops of a recording."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.audio.acoustics import degrade
from trainer.audio.chain import through_chain
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.autodecompose.augment import scramble_time, shift_voice
from trainer.autodecompose.networks import Autodecompose, pool
from trainer.autodecompose.settings import TrainSettings
from trainer.barlow_twins.loss import Projector, barlow_twins_loss
from trainer.training.batches import PairBatch
from trainer.training.margin import aam_softmax


class MarginHead(nn.Module):
    """Pooled voices (batch, width) → cosines to each pseudo-speaker's direction (batch, clusters)."""

    def __init__(self, width: int, clusters: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.BatchNorm1d(width), nn.Linear(width, width, bias=False), nn.BatchNorm1d(width, affine=False)
        )
        self.W = nn.Parameter(nn.init.xavier_uniform_(torch.empty(clusters, width)))

    def forward(self, pooled: Tensor) -> Tensor:
        with torch.autocast(pooled.device.type, enabled=False):  # bf16 is too coarse for an angle
            return F.normalize(self.embed(pooled), dim=1) @ F.normalize(self.W, dim=1).T


class Objective(nn.Module):
    """The model and its loss.

    Equation 2: min L(d, G(E_s(A_s(d)), E_c(A_c(d)))), with L the mean squared error. To it comes the Barlow
    Twins term on the pooled voice frames of d and d', another crop of the same recording under another
    channel.
    With clusters, d' is of another recording of the same pseudo-speaker, and a head says which of them it is.
    """

    fresh = ("head.",)  # of the run that a training starts from: its pseudo-speakers are others

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.settings = settings
        self.frontend = LogMel(FRONTENDS[settings.frontend])
        self.model = Autodecompose(
            settings.encoder,
            settings.decoder,
            self.frontend.settings.mels,
            settings.width,
            settings.content_norm,
        )
        self.projector = Projector(2 * settings.width, settings.bt_width) if settings.bt_weight else None
        self.head = MarginHead(2 * settings.width, settings.clusters) if settings.clusters else None

    def features(self, batch: PairBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mel crops d and d' under independent channels, each (batch, time, mel)."""
        s = self.settings
        with torch.no_grad():
            if s.chain is not None:
                crops = torch.cat([batch.first, batch.second])
                waveforms = [through_chain(crops, batch.noise, batch.rooms, generator, s.chain)]
            elif s.acoustics is None:
                waveforms = [batch.first, batch.second]
            else:
                noise = (None, None) if batch.noise is None else batch.noise.chunk(2)
                waveforms = [
                    degrade(x, n, generator, s.acoustics)
                    for x, n in zip((batch.first, batch.second), noise, strict=True)
                ]
            d, d2 = self.frontend(torch.cat(waveforms)).chunk(2)
        return d, d2

    def forward(self, batch: PairBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """The weighted `loss` and those of its parts `mse` and `bt` that have a weight, scalars."""
        s = self.settings
        d, d2 = self.features(batch, generator)
        views = [scramble_time(d, generator, s.augment)]
        if self.projector is not None or self.head is not None:
            views.append(scramble_time(d2, generator, s.augment))
        with torch.set_grad_enabled(torch.is_grad_enabled() and not s.freeze_voice):
            voice = self.model.E_s(torch.cat(views))  # (views · batch, time, width)
        parts = {}
        loss = torch.zeros((), device=d.device)
        if s.mse_weight:
            content = self.model.E_c(shift_voice(d, generator, s.augment))
            parts["mse"] = F.mse_loss(self.model.decode(voice[: d.shape[0]], content).float(), d)
            loss = loss + s.mse_weight * parts["mse"]
        if self.projector is not None:
            z1, z2 = (self.projector(pool(v.float())) for v in voice.chunk(2))
            parts["bt"] = barlow_twins_loss(z1.float(), z2.float(), s.bt_lambda)
            loss = loss + s.bt_weight * parts["bt"]
        if self.head is not None:
            if batch.voice is None:
                raise ValueError("A training with clusters needs batches that know their pseudo-speaker.")
            cosine = self.head(pool(voice.float()))
            parts["margin"] = aam_softmax(cosine, batch.voice.repeat(2), s.margin, s.margin_scale)
            loss = loss + s.margin_weight * parts["margin"]
        return {"loss": loss, **parts}

    def train(self, mode: bool = True) -> Self:
        """A frozen voice encoder keeps its batch statistics too."""
        super().train(mode)
        if self.settings.freeze_voice:
            self.model.E_s.eval()
        return self
