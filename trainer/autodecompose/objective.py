"""Reconstruction from voice and content, plus agreement of the voices of two crops of a recording."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.audio.acoustics import degrade
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.autodecompose.augment import scramble_time, shift_voice
from trainer.autodecompose.networks import Autodecompose, pool
from trainer.autodecompose.settings import TrainSettings
from trainer.barlow_twins.loss import Projector, barlow_twins_loss
from trainer.training.batches import PairBatch


class Objective(nn.Module):
    """The model and its loss.

    Equation 2: min L(d, G(E_s(A_s(d)), E_c(A_c(d)))), with L the mean squared error. To it comes the Barlow
    Twins term on the pooled voice frames of d and d', another crop of the same recording under another
    channel.
    """

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

    def features(self, batch: PairBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mel crops d and d' under independent channels, each (batch, time, mel)."""
        s = self.settings
        with torch.no_grad():
            if s.acoustics is None:
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
        """The weighted `loss` and its parts `mse` and `bt`, scalars."""
        s = self.settings
        d, d2 = self.features(batch, generator)
        views = [scramble_time(d, generator, s.augment)]
        if self.projector is not None:
            views.append(scramble_time(d2, generator, s.augment))
        voice = self.model.E_s(torch.cat(views))  # (views · batch, time, width)
        content = self.model.E_c(shift_voice(d, generator, s.augment))
        mse = F.mse_loss(self.model.decode(voice[: d.shape[0]], content).float(), d)
        parts = {"mse": mse}
        loss = s.mse_weight * mse
        if self.projector is not None:
            z1, z2 = (self.projector(pool(v.float())) for v in voice.chunk(2))
            parts["bt"] = barlow_twins_loss(z1.float(), z2.float(), s.bt_lambda)
            loss = loss + s.bt_weight * parts["bt"]
        return {"loss": loss, **parts}
