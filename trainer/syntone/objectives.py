"""Four VAEs that differ in their objective only, and Autodecompose on the same networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from trainer.syntone.dataset import FACTORS, SynTone
from trainer.syntone.networks import ConvDecoder, ConvEncoder, Discriminator, sample
from trainer.syntone.settings import SynToneSettings
from trainer.syntone.terms import (
    decompose_kl,
    density_ratio,
    discriminator_loss,
    gaussian_kl,
    permute_dims,
    squared_error,
)


@dataclass(frozen=True)
class Material:
    """The grid of clips, and their features, on any device.

    Raises:
        ValueError: the numbers of clips differ.
    """

    grid: SynTone
    features: Tensor  # (clips, 64, 32), in the grid's order

    def __post_init__(self) -> None:
        if len(self.features) != len(self.grid):
            raise ValueError(f"{len(self.features)} features for a grid of {len(self.grid)} clips.")

    @cached_property
    def held_out(self) -> NDArray[np.bool_]:
        """(clips,): see `SynTone.held_out`."""
        return self.grid.held_out

    @cached_property
    def trained_on(self) -> NDArray[np.int64]:
        """The numbers of all other clips."""
        return np.flatnonzero(~self.held_out)


class SynToneModel(nn.Module, ABC):
    """A model with its losses. Its `codes` are measured, its `decode` is drawn."""

    def __init__(self, settings: SynToneSettings) -> None:
        super().__init__()
        self.settings = settings
        self.decode = ConvDecoder(settings.latents)

    @abstractmethod
    def codes(self, x: Tensor) -> Tensor:
        """(batch, 64, 32) → (batch, latents), without noise."""

    @abstractmethod
    def losses(
        self, material: Material, indices: NDArray[np.int64], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Scalars of a batch of clips; "loss" is to be minimised, the others are its parts."""


class VAE(SynToneModel):
    """Kingma & Welling: squared error / (2 noise²) + KL. With beta > 1, Higgins et al.'s β-VAE."""

    def __init__(self, settings: SynToneSettings) -> None:
        super().__init__(settings)
        self.encode = ConvEncoder(settings.latents)

    def codes(self, x: Tensor) -> Tensor:
        mean: Tensor = self.encode(x)[0]
        return mean

    def rebuild(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean, log-variance and a sample z of q(z|x), and the error of what z decodes to."""
        mean, log_var = self.encode(x)
        z = sample(mean, log_var, generator)
        return mean, log_var, z, squared_error(x, self.decode(z), self.settings.noise)

    def losses(
        self, material: Material, indices: NDArray[np.int64], generator: torch.Generator
    ) -> dict[str, Tensor]:
        mean, log_var, _, error = self.rebuild(material.features[indices], generator)
        kl = gaussian_kl(mean, log_var).mean()
        return {"loss": error + self.settings.beta * kl, "error": error, "kl": kl}


class FactorVAE(VAE):
    """Kim & Mnih: the VAE plus γ TC(z), estimated by a discriminator that learns beside it."""

    def __init__(self, settings: SynToneSettings) -> None:
        super().__init__(settings)
        self.discriminator = Discriminator(
            settings.latents, settings.discriminator_width, settings.discriminator_layers
        )

    def losses(
        self, material: Material, indices: NDArray[np.int64], generator: torch.Generator
    ) -> dict[str, Tensor]:
        mean, log_var, z, error = self.rebuild(material.features[indices], generator)
        kl = gaussian_kl(mean, log_var).mean()
        tc = self.total_correlation(z)
        with torch.no_grad():  # a second batch, so that permuted and real z are independent
            draw = torch.randint(
                len(material.trained_on), (len(indices),), generator=generator, device=generator.device
            )
            others = material.trained_on[draw.cpu().numpy()]
            others_mean, others_log_var = self.encode(material.features[others])
            z_others = sample(others_mean, others_log_var, generator)
        discriminator = self.discriminator_loss(z, z_others, generator)
        loss = error + self.settings.beta * kl + self.settings.gamma * tc + discriminator
        return {"loss": loss, "error": error, "kl": kl, "tc": tc, "discriminator": discriminator}

    def total_correlation(self, z: Tensor) -> Tensor:
        """The VAE minimises it: no gradient reaches the discriminator."""
        frozen = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        return density_ratio(functional_call(self.discriminator, frozen, (z,)))

    def discriminator_loss(self, z: Tensor, others: Tensor, generator: torch.Generator) -> Tensor:
        """The discriminator minimises it: no gradient reaches the encoder. So one sum serves both."""
        permuted = permute_dims(others.detach(), generator)
        return discriminator_loss(self.discriminator(z.detach()), self.discriminator(permuted))


class BetaTCVAE(VAE):
    """Chen et al.: the KL in three parts, β on the total correlation only."""

    def losses(
        self, material: Material, indices: NDArray[np.int64], generator: torch.Generator
    ) -> dict[str, Tensor]:
        mean, log_var, z, error = self.rebuild(material.features[indices], generator)
        parts = decompose_kl(z, mean, log_var, total=len(material.trained_on))
        tc = parts.total_correlation
        loss = error + parts.mutual_information + self.settings.beta * tc + parts.dimension_wise_kl
        return {"loss": loss, "error": error, "kl": gaussian_kl(mean, log_var).mean(), "tc": tc}


class AutodecomposeVAE(SynToneModel):
    """Autodecompose (Bonyadi) on these networks: each encoder sees a view without one factor of x.

    The timbre encoder's view has another frequency, so it cannot tell the pitch. The pitch encoder's view has
    another timbre. Amplitude is left alone and may go to either. The decoder rebuilds x from both. Views come
    from the grid, so they are exact. But this tells the model which clips share a factor, unlike the VAEs.
    Both halves also have the VAE's KL: the metrics look at single codes, and nothing else would align single
    codes with factors.
    """

    def __init__(self, settings: SynToneSettings) -> None:
        super().__init__(settings)
        half = settings.latents // 2
        self.timbre = ConvEncoder(half)
        self.pitch = ConvEncoder(settings.latents - half)

    def codes(self, x: Tensor) -> Tensor:
        return torch.cat([self.timbre(x)[0], self.pitch(x)[0]], dim=1)

    def losses(
        self, material: Material, indices: NDArray[np.int64], generator: torch.Generator
    ) -> dict[str, Tensor]:
        x = material.features[indices]
        views = [
            material.features[with_another(material.grid, indices, factor, generator, material.held_out)]
            for factor in ("frequency", "timbre")
        ]
        halves = zip(self.timbre(views[0]), self.pitch(views[1]), strict=True)
        mean, log_var = (torch.cat(half, dim=1) for half in halves)
        error = squared_error(x, self.decode(sample(mean, log_var, generator)), self.settings.noise)
        kl = gaussian_kl(mean, log_var).mean()
        return {"loss": error + self.settings.beta * kl, "error": error, "kl": kl}


def with_another(
    grid: SynTone,
    indices: NDArray[np.int64],
    factor: str,
    generator: torch.Generator,
    avoided: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Clips that differ from (n,) `indices` in one factor only. Its new level is drawn from all others.

    Args:
        avoided: (clips,) those that are taken only where there are no others.
    """
    column = FACTORS.index(factor)
    count = grid.shape[column]
    levels = np.repeat(grid.levels[indices][:, None], count, axis=1)  # (n, count, 3)
    unchanged = levels[:, :, column] == np.arange(count)
    levels[:, :, column] = np.arange(count)
    candidates = grid.index(levels.reshape(-1, len(FACTORS))).reshape(-1, count)
    draw = torch.rand(candidates.shape, generator=generator, device=generator.device).cpu().numpy()
    if avoided is not None:
        draw -= avoided[candidates]
    draw[unchanged] = -2.0
    chosen: NDArray[np.int64] = candidates[np.arange(len(candidates)), draw.argmax(axis=1)]
    return chosen


MODELS: dict[str, type[SynToneModel]] = {
    "vae": VAE,
    "beta_vae": VAE,
    "factor_vae": FactorVAE,
    "beta_tcvae": BetaTCVAE,
    "autodecompose": AutodecomposeVAE,
}
