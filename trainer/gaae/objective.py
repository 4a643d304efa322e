"""GAAE's five networks, and the losses of both kinds of update of Algorithm 1.

What the paper leaves open:

- A predicted label ŷ is C's softmax. It is a constant: C only has the losses Cl and Cg (section III-B1).
- The real samples of S are x_u with ŷ and x_l with its label, in one batch with equal weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.gaae import losses
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.data import GaaeBatch
from trainer.gaae.networks import Classifier, Decoder, Encoder, LatentDiscriminator, SampleDiscriminator
from trainer.gaae.settings import GaaeSettings


class Autoencoder(nn.Module):
    """E, D and C: updated together, averaged over the training, and exported."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        super().__init__()
        self.E = Encoder(settings)
        self.D = Decoder(settings, classes)
        self.C = Classifier(settings, classes)


@dataclass(frozen=True)
class Fakes:
    """One pass of x_u through E, C and D.

    Attributes:
        z: z', the general representation of x_u (batch, latent_dim).
        y_hat: C's label of x_u (batch, classes).
        y_r: the drawn labels (batch,).
        reconstructed: x̂_u (batch, bins, frames).
        generated: x̂_g (batch, bins, frames).
    """

    z: Tensor
    y_hat: Tensor
    y_r: Tensor
    reconstructed: Tensor
    generated: Tensor


class GAAE(Adversarial[Autoencoder]):
    """All networks, and the losses of equations 6, 7 and 8 for a batch."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        super().__init__(settings, classes)
        self.edc = Autoencoder(settings, classes)
        self.S = SampleDiscriminator(settings, classes)
        self.L = LatentDiscriminator(settings)

    def discriminator_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Lines 3 to 5 of Algorithm 1, for S and L only: `S_loss` (equation 7), `L_d_loss` (equation 8)."""
        x_u, x_l = self.spectrograms(batch.x_u), self.spectrograms(batch.x_l)
        with torch.no_grad():
            fakes = self.fakes(x_u, generator)
        y_l, y_r = self.one_hot(batch.y_l), self.one_hot(fakes.y_r)
        samples = torch.cat([x_u, x_l, fakes.reconstructed, fakes.generated])
        scores = self.S(samples, torch.cat([fakes.y_hat, y_l, fakes.y_hat, y_r])).float()
        m = len(x_u)
        real, reconstructed, generated = scores.split([m + len(x_l), m, m])
        z = self.drawn_latents(m, generator)
        prior, encoded = self.L(torch.cat([z, fakes.z])).float().chunk(2)
        return {
            "S_loss": losses.s_discrimination_loss(real, reconstructed, generated),
            "L_d_loss": losses.l_discrimination_loss(prior, encoded),
            "S_real": real.mean(),  # not minimised: shows which side is winning
            "S_fake": 0.5 * (reconstructed.mean() + generated.mean()),
        }

    def edc_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Line 8 of Algorithm 1: `EDC_loss` (equation 6) and its terms, for E, D and C."""
        x_u, x_l = self.spectrograms(batch.x_u), self.spectrograms(batch.x_l)
        fakes = self.fakes(x_u, generator)
        labels = torch.cat([fakes.y_hat, self.one_hot(fakes.y_r)])
        scores = self.S(torch.cat([fakes.reconstructed, fakes.generated]), labels).float()
        reconstructed, generated = scores.chunk(2)
        # x̂_g is a constant for Cg_loss (section III-B1): C and E learn from it, D does not.
        guided, _ = self.edc.E(self.classifier_input(torch.cat([x_l, fakes.generated.detach()]), generator))
        of_labelled, of_generated = self.edc.C(guided).float().split([len(x_l), len(x_u)])
        terms = {
            "G_loss": losses.g_loss(reconstructed, generated),
            "R_loss": losses.r_loss(fakes.reconstructed, x_u),
            "Cl_loss": losses.classification_loss(of_labelled, batch.y_l),
            "Cg_loss": losses.classification_loss(of_generated, fakes.y_r),
            "L_loss": losses.l_loss(self.L(fakes.z).float()),
        }
        return {"EDC_loss": losses.edc_loss(terms, self.settings), **terms}

    def fakes(self, x_u: Tensor, generator: torch.Generator) -> Fakes:
        """x̂_u = D(z', ŷ) and x̂_g = D(z', y_r), in one batch of D, so that both share its statistics."""
        guided, z = self.edc.E(x_u)
        z = z.float()  # bf16 where that is used
        y_hat = self.edc.C(guided).float().softmax(dim=1).detach()
        m = len(x_u)
        y_r = self.drawn_labels(m, generator)
        from_prior = round(self.settings.prior_share * m)
        drawn = self.drawn_latents(from_prior, generator)
        z_g = torch.cat([drawn, z[from_prior:]])
        both = self.edc.D(torch.cat([z, z_g]), torch.cat([y_hat, self.one_hot(y_r)]))
        reconstructed, generated = both.float().chunk(2)
        return Fakes(z, y_hat, y_r, reconstructed, generated)
