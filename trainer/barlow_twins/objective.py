"""Barlow Twins for speech, equations 1 and 2, and the three modified variants of section 3.3."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.audio.acoustics import degrade
from trainer.audio.frontends import LogSpectrogram
from trainer.barlow_twins.loss import Projector, cross_correlation, invariance_and_redundancy
from trainer.barlow_twins.networks import ResNet
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.training.batches import PairBatch

NORMALISERS = ("original", "ln", "bn", "bn_ln")


def normaliser(name: str, latent: int) -> nn.Module:
    """The layer between the latents and equation 2. The paper describes its variants in words only:

    - `original`: batch norm without scale and shift, as in the reference implementation of Barlow Twins.
      Equation 2 is then z1ᵀz2 / N of standardised latents.
    - `ln` (MBT w/LN): layer norm. Each sample's latent gets mean 0 and deviation 1 over its entries.
    - `bn` (MBT w/BN): batch norm with a learnt scale and shift. Equation 2 cancels the scale. The shift lets
      a mean, which `original` subtracts, back into the correlation.
    - `bn_ln` (MBT w/BN/LN): `bn`, then `ln`.

    Raises:
        ValueError: the name is none of these.
    """
    if name == "original":
        return nn.BatchNorm1d(latent, affine=False)
    if name == "ln":
        return nn.LayerNorm(latent, elementwise_affine=False)
    if name == "bn":
        return nn.BatchNorm1d(latent)
    if name == "bn_ln":
        return nn.Sequential(nn.BatchNorm1d(latent), nn.LayerNorm(latent, elementwise_affine=False))
    raise ValueError(f"normalise is one of {', '.join(NORMALISERS)}, not {name!r}.")


class BarlowTwins(nn.Module):
    """f_θ on two views X^A, X^B of each crop, and the loss between their latents Z^A, Z^B.

    Later tasks use the backbone's representation, before the projector, as in the reference implementation.
    Table 3 measures the latent itself.

    Raises:
        ValueError: `positives` or `normalise` is unknown.
    """

    def __init__(self, settings: BarlowTwinsSettings) -> None:
        super().__init__()
        self.settings = settings
        if settings.positives not in {"crop", "recording"}:
            raise ValueError(f"positives is crop or recording, not {settings.positives!r}.")
        self.frontend = LogSpectrogram()
        self.backbone = ResNet(settings.depth, settings.width)
        self.projector = Projector(
            self.backbone.features, settings.projector_width, settings.latent, hidden=2
        )
        self.normaliser = normaliser(settings.normalise, settings.latent)

    def views(self, batch: PairBatch, generator: torch.Generator) -> Tensor:
        """X^A, then X^B: spectrograms of the two views under independent channels, (2 · batch, 513, 126)."""
        other = batch.second if self.settings.positives == "recording" else batch.first
        waveform = torch.cat([batch.first, other])
        return self.spectrograms(degrade(waveform, batch.noise, generator, self.settings.acoustics))

    def spectrograms(self, waveform: Tensor) -> Tensor:
        """(batch, samples) → (batch, 513, 126), without a gradient."""
        with torch.no_grad():
            x: Tensor = self.frontend(waveform)
        return x

    def latents(self, x: Tensor) -> Tensor:
        """Spectrograms → Z (batch, latent), as the loss correlates it."""
        z: Tensor = self.normaliser(self.projector(self.backbone(x)).float())
        return z

    def correlation(self, batch: PairBatch, generator: torch.Generator) -> Tensor:
        """C of equation 2 for one batch, (latent, latent): Fig. 3."""
        projected = self.projector(self.backbone(self.views(batch, generator)))
        # The two views are normalised separately, as in the reference implementation.
        z1, z2 = (self.normaliser(z.float()) for z in projected.chunk(2))
        return cross_correlation(z1, z2)

    def forward(self, batch: PairBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """`loss` and the two sums of equation 1, scalars."""
        invariance, redundancy = invariance_and_redundancy(self.correlation(batch, generator))
        loss = invariance + self.settings.lambd * redundancy
        return {"loss": loss, "invariance": invariance, "redundancy": redundancy}
