"""The convolutional VAE of Brima et al., appendix A.2, and FactorVAE's discriminator.

Four convolutions, two fully connected layers to mean and log-variance, mirrored transpose convolutions,
leaky ReLU of slope 0.01, no batch norm. The paper gives no channels, kernels or strides. The first stride is
4 in time, since tones hardly change in time: this costs a third less and loses nothing.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.syntone.features import FRAMES, ROWS

SLOPE = 0.01
CHANNELS = (1, 8, 16, 32, 64)
KERNELS = ((4, 6), (4, 4), (4, 4), (4, 4))  # (rows, frames)
STRIDES = ((2, 4), (2, 2), (2, 2), (2, 2))
PADDING = 1
_INNER = (CHANNELS[-1], ROWS // 16, FRAMES // 32)


class ConvEncoder(nn.Module):
    """(batch, 64, 32) → mean and log-variance of q(z|x), each (batch, latents)."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.latents = latents
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride, PADDING)
            for (a, b), kernel, stride in zip(pairwise(CHANNELS), KERNELS, STRIDES, strict=True)
        )
        inner = _INNER[0] * _INNER[1] * _INNER[2]
        self.mean = nn.Linear(inner, latents)
        self.log_var = nn.Linear(inner, latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = x[:, None]
        for convolution in self.convolutions:
            h = F.leaky_relu(convolution(h), SLOPE)
        h = h.flatten(1)
        return self.mean(h), self.log_var(h)


class ConvDecoder(nn.Module):
    """(batch, latents) → (batch, 64, 32), the encoder mirrored."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.inner = nn.Linear(latents, _INNER[0] * _INNER[1] * _INNER[2])
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(b, a, kernel, stride, PADDING)
            for (a, b), kernel, stride in reversed(
                list(zip(pairwise(CHANNELS), KERNELS, STRIDES, strict=True))
            )
        )

    def forward(self, z: Tensor) -> Tensor:
        h = F.leaky_relu(self.inner(z), SLOPE).reshape(-1, *_INNER)
        for convolution in self.convolutions:
            h = F.leaky_relu(convolution(h), SLOPE)
        rebuilt: Tensor = h[:, 0]
        return rebuilt


class Discriminator(nn.Module):
    """FactorVAE's D: (batch, latents) → (batch, 2) logits of "drawn from q(z)" and "dimensions permuted".

    Kim & Mnih, appendix A, use six layers of 1000 units. Three factors need less: see SynToneSettings.
    """

    def __init__(self, latents: int, width: int, layers: int) -> None:
        super().__init__()
        sizes = [latents, *[width] * layers]
        hidden = [module for a, b in pairwise(sizes) for module in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 2))

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.layers(z)
        return logits


def sample(mean: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    """z ~ N(mean, exp(log_var)), differentiable in both."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    return mean + noise * torch.exp(0.5 * log_var)
