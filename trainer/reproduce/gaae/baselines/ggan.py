"""GGAN, the authors' earlier model, as far as the GAAE paper describes it.

One latent, and it is guided: "the condition is imposed on the latent samples" (section I), so the generator
sees no label but in them. What the text leaves open is taken from GAAE: a network F makes a guided latent of
(z, y); E, C and L of Tables XX, XXII and XXIII tie the latents of audio to those of F; S judges pairs of
sample and label; C learns from x_l and from generated samples. Nothing is reconstructed.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from trainer.gaae import losses
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.blocks import dense
from trainer.gaae.data import GaaeBatch
from trainer.gaae.networks import Classifier, Decoder, LatentDiscriminator, SampleDiscriminator, Trunk
from trainer.gaae.settings import GaaeSettings


class GuidedEncoder(nn.Module):
    """Table XX with one latent: (batch, bins, frames) → (batch, guided_dim)."""

    def __init__(self, settings: GaaeSettings) -> None:
        super().__init__()
        self.trunk = Trunk(settings, spectral=False)
        self.guided = dense(self.trunk.features, settings.guided_dim)

    def forward(self, x: Tensor) -> Tensor:
        guided: Tensor = self.guided(self.trunk(x))
        return guided


class GuidedDecoder(Decoder):
    """G(F(z, y)): G is the generator of the unsupervised BigGAN, F two dense layers."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        width = settings.guided_dim
        super().__init__(replace(settings, latent_dim=width), None)
        self.F = nn.Sequential(dense(settings.latent_dim + classes, width), nn.ReLU(), dense(width, width))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is not None  # what F conditions on
        return self.of_latent(self.latent(z, y))

    def latent(self, z: Tensor, y: Tensor) -> Tensor:
        """F: z (batch, latent_dim), y (batch, classes) → (batch, guided_dim)."""
        e: Tensor = self.F(torch.cat([z, y], dim=1))
        return e

    def of_latent(self, e: Tensor) -> Tensor:
        """G: (batch, guided_dim) → (batch, bins, frames)."""
        return super().forward(e)


class GuidedNetworks(nn.Module):
    """E, D = G ∘ F, and C."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        super().__init__()
        self.E = GuidedEncoder(settings)
        self.D = GuidedDecoder(settings, classes)
        self.C = Classifier(settings, classes)


class GGAN(Adversarial[GuidedNetworks]):
    """Trained with GAAE's weights of the losses that both have."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        super().__init__(settings, classes)
        self.edc = GuidedNetworks(settings, classes)
        self.S = SampleDiscriminator(settings, classes)
        self.L = LatentDiscriminator(replace(settings, latent_dim=settings.guided_dim))

    def discriminator_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        x_u, x_l = self.spectrograms(batch.x_u), self.spectrograms(batch.x_l)
        m = len(x_u)
        y_r = self.one_hot(self.drawn_labels(m, generator))
        with torch.no_grad():
            encoded = self.edc.E(x_u).float()
            y_hat = self.edc.C(encoded).float().softmax(dim=1)
            made = self.edc.D.latent(self.drawn_latents(m, generator), y_r).float()
            generated = self.edc.D.of_latent(made).float()
        labels = torch.cat([y_hat, self.one_hot(batch.y_l), y_r])
        scores = self.S(torch.cat([x_u, x_l, generated]), labels).float()
        real, fake = scores.split([m + len(x_l), m])
        l_made, l_encoded = self.L(torch.cat([made, encoded])).float().chunk(2)
        return {
            "S_loss": losses.hinge_loss(real, fake),
            "L_d_loss": losses.l_discrimination_loss(l_made, l_encoded),
            "S_real": real.mean(),
            "S_fake": fake.mean(),
        }

    def edc_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        s = self.settings
        x_u, x_l = self.spectrograms(batch.x_u), self.spectrograms(batch.x_l)
        m = len(x_u)
        y_r = self.drawn_labels(m, generator)
        generated = self.edc.D(self.drawn_latents(m, generator), self.one_hot(y_r)).float()
        taught = self.classifier_input(torch.cat([x_l, generated.detach()]), generator)
        encoded = self.edc.E(torch.cat([x_u, taught]))
        of_unlabelled, of_labelled, of_generated = encoded.split([m, len(x_l), m])
        terms = {
            "G_loss": -self.S(generated, self.one_hot(y_r)).float().mean(),
            "Cl_loss": losses.classification_loss(self.edc.C(of_labelled).float(), batch.y_l),
            "Cg_loss": losses.classification_loss(self.edc.C(of_generated).float(), y_r),
            "L_loss": losses.l_loss(self.L(of_unlabelled).float()),
        }
        guided = s.omega_3 * terms["Cl_loss"] + s.omega_4 * terms["Cg_loss"] + s.omega_5 * terms["L_loss"]
        return {"EDC_loss": s.alpha * terms["G_loss"] + s.beta * guided, **terms}
