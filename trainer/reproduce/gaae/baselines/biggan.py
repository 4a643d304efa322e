"""BigGAN, with all labels or with none (GAAE, Tables X to XVII)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.gaae import losses
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.data import GaaeBatch
from trainer.gaae.networks import Decoder, SampleDiscriminator
from trainer.gaae.settings import GaaeSettings


class BigGAN(Adversarial[Decoder]):
    """Supervised, it learns from x_l and y_l; else from x_u, and neither network sees a label."""

    def __init__(self, settings: GaaeSettings, classes: int, *, supervised: bool) -> None:
        super().__init__(settings, classes)
        self.supervised = supervised
        self.edc = Decoder(settings, classes if supervised else None)
        self.S = SampleDiscriminator(settings, classes if supervised else None)
        self.L = nn.Identity()

    def discriminator_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        x = self.spectrograms(batch.x_l if self.supervised else batch.x_u)
        y_r = self.one_hot(self.drawn_labels(len(x), generator))
        with torch.no_grad():
            generated = self.edc(self.drawn_latents(len(x), generator), y_r).float()
        y = torch.cat([self.one_hot(batch.y_l), y_r]) if self.supervised else None
        real, fake = self.S(torch.cat([x, generated]), y).float().chunk(2)
        return {"S_loss": losses.hinge_loss(real, fake), "S_real": real.mean(), "S_fake": fake.mean()}

    def edc_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        m = len(batch.x_l if self.supervised else batch.x_u)
        y_r = self.one_hot(self.drawn_labels(m, generator))
        generated = self.edc(self.drawn_latents(m, generator), y_r)
        return {"EDC_loss": -self.S(generated, y_r).float().mean()}
