"""BiGAN on top of a trained unsupervised BigGAN (GAAE, appendix A-C, Tables XVIII and XIX)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.gaae import losses
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.blocks import dense
from trainer.gaae.data import GaaeBatch
from trainer.gaae.networks import Decoder, Trunk
from trainer.gaae.settings import GaaeSettings


class FeatureNetwork(nn.Module):
    """Table XVIII: (batch, bins, frames) → (batch, latent_dim)."""

    def __init__(self, settings: GaaeSettings) -> None:
        super().__init__()
        self.trunk = Trunk(settings, spectral=False)
        self.dense = dense(self.trunk.features, settings.latent_dim)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.dense(self.trunk(x))
        return features


class PairDiscriminator(nn.Module):
    """Table XIX: x (batch, bins, frames) and features (batch, latent_dim) → (batch,)."""

    def __init__(self, settings: GaaeSettings) -> None:
        super().__init__()
        self.trunk = Trunk(settings, spectral=True)
        width = settings.latent_dim
        self.head = nn.Sequential(
            dense(self.trunk.features + width, width, spectral=True),
            nn.ReLU(),
            dense(width, 1, spectral=True),
            nn.Flatten(0),
        )

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        score: Tensor = self.head(torch.cat([self.trunk(x), features], dim=1))
        return score


class BiGAN(Adversarial[FeatureNetwork]):
    """S tells (x_u, features of x_u) from (G(z), z); these learn to be taken for z. G stays as it is."""

    def __init__(self, settings: GaaeSettings, classes: int, generator: Decoder) -> None:
        """
        Args:
            generator: of the unsupervised BigGAN, in evaluation mode.
        """
        super().__init__(settings, classes)
        self.edc = FeatureNetwork(settings)
        self.S = PairDiscriminator(settings)
        self.L = nn.Identity()
        self.G = generator.requires_grad_(False)

    def train(self, mode: bool = True) -> BiGAN:
        super().train(mode)
        self.G.eval()
        return self

    def discriminator_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        x_u = self.spectrograms(batch.x_u)
        z = self.drawn_latents(len(x_u), generator)
        with torch.no_grad():
            features, generated = self.edc(x_u).float(), self.G(z).float()
        pairs = torch.cat([x_u, generated]), torch.cat([features, z])
        of_audio, of_latents = self.S(*pairs).float().chunk(2)
        return {
            "S_loss": losses.hinge_loss(of_latents, of_audio),
            "S_audio": of_audio.mean(),
            "S_latents": of_latents.mean(),
        }

    def edc_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:  # noqa: ARG002
        x_u = self.spectrograms(batch.x_u)
        return {"EDC_loss": -self.S(x_u, self.edc(x_u)).float().mean()}
