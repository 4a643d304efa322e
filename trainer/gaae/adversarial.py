"""The base class of what Algorithm 1 trains: GAAE, and the models that it is compared with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.gaae.data import GaaeBatch
from trainer.gaae.degrade import degraded
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.spectrogram import NormalisedLogSpectrogram

Networks = TypeVar("Networks", bound=nn.Module)


class Adversarial(nn.Module, ABC, Generic[Networks]):
    """The networks to be trained, and the discriminators that they are trained against.

    Attributes:
        classes: number of labels.
        edc: E, D and C, or the model's counterparts. Their average over the training is its result.
        S: the discriminator of samples.
        L: the discriminator of latents; a module without parameters if the model has none.
    """

    edc: Networks
    S: nn.Module
    L: nn.Module

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        super().__init__()
        self.settings, self.classes = settings, classes
        self.spectrogram = NormalisedLogSpectrogram(settings.spectrogram)

    @abstractmethod
    def discriminator_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """`S_loss`, `L_d_loss` if there is L, and other scalars for the log."""

    @abstractmethod
    def edc_losses(self, batch: GaaeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """`EDC_loss` and its terms."""

    def spectrograms(self, waveform: Tensor) -> Tensor:
        """(batch, bins, frames) in full precision: bf16 would end 50 dB below the loudest point."""
        with torch.autocast(waveform.device.type, enabled=False):
            spectrogram: Tensor = self.spectrogram(waveform)
        return spectrogram

    def classifier_input(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """x (batch, bins, frames) as C learns from it: degraded if the settings say so."""
        with torch.autocast(x.device.type, enabled=False):  # bf16 would move points about
            return degraded(x, generator) if self.settings.degrade else x

    def one_hot(self, y: Tensor) -> Tensor:
        """(batch,) → (batch, classes)."""
        return F.one_hot(y, self.classes).float()

    def drawn_labels(self, count: int, generator: torch.Generator) -> Tensor:
        """y_r (count,): uniform over the classes."""
        return torch.randint(self.classes, (count,), generator=generator, device=generator.device)

    def drawn_latents(self, count: int, generator: torch.Generator) -> Tensor:
        """z (count, latent_dim) drawn from p_z."""
        size = (count, self.settings.latent_dim)
        return torch.randn(size, generator=generator, device=generator.device)
