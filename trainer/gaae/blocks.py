"""BigGAN's building blocks (Brock et al. 2019; GAAE, Tables X and XI). Labels are vectors, one-hot or not."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization


def conv(inputs: int, outputs: int, kernel: int, *, spectral: bool) -> nn.Conv2d:
    """A convolution that keeps the size, with orthogonal initial weights, with or without spectral norm."""
    return _prepared(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), spectral)


def dense(inputs: int, outputs: int, *, spectral: bool = False, bias: bool = True) -> nn.Linear:
    """A linear layer with orthogonal initial weights, with or without spectral norm."""
    return _prepared(nn.Linear(inputs, outputs, bias=bias), spectral)


Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


def _prepared(layer: Layer, spectral: bool) -> Layer:
    nn.init.orthogonal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if spectral:
        register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    return layer


class SpectralNorm(nn.Module):
    """W → W / σ(W), its largest singular value, by one power iteration a training step (Miyato et al. 2018).

    torch's spectral norm would run its products in bf16 under autocast.

    Attributes:
        iterates: False for a pass that repeats another one, see `trainer.gaae.recompute`.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.iterates = True
        rows = weight.detach().flatten(1)
        self.u: Tensor
        self.v: Tensor
        self.register_buffer("u", F.normalize(torch.randn(rows.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(rows.T @ self.u, dim=0))
        self._iterate(rows)  # enough for orthogonal rows or columns, whose singular values are all alike

    def forward(self, weight: Tensor) -> Tensor:
        rows = weight.flatten(1)
        with torch.autocast(weight.device.type, enabled=False):
            if self.training and self.iterates:
                self._iterate(rows.detach())
            sigma = self.u @ (rows @ self.v)
        return weight / sigma

    def _iterate(self, rows: Tensor) -> None:
        # New tensors: an earlier pass may still need the old ones for its gradient.
        self.u = F.normalize(rows @ self.v, dim=0)
        self.v = F.normalize(rows.T @ self.u, dim=0)


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain 1 + W y and bias V y follow the label; plain batch norm without classes."""

    def __init__(self, channels: int, classes: int | None) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=classes is None)
        self.gain = None if classes is None else dense(classes, channels, bias=False)
        self.bias = None if classes is None else dense(classes, channels, bias=False)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(batch, channels, h, w), (batch, classes) → like x."""
        normed: Tensor = self.norm(x)
        if self.gain is None or self.bias is None:
            return normed
        gain: Tensor = 1 + self.gain(y)
        bias: Tensor = self.bias(y)
        return normed * gain[:, :, None, None] + bias[:, :, None, None]


class GBlock(nn.Module):
    """Table X: cBN → ReLU → up → conv 3×3 → cBN → ReLU → conv 3×3, beside a 1×1 shortcut: h × w → 2h × 2w."""

    def __init__(self, inputs: int, outputs: int, classes: int | None) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(inputs, classes)
        self.conv1 = conv(inputs, outputs, 3, spectral=True)
        self.norm2 = ConditionalBatchNorm(outputs, classes)
        self.conv2 = conv(outputs, outputs, 3, spectral=True)
        self.shortcut = conv(inputs, outputs, 1, spectral=True)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        h: Tensor = F.interpolate(torch.relu(self.norm1(x, y)), scale_factor=2, mode="nearest")
        h = self.conv2(torch.relu(self.norm2(self.conv1(h), y)))
        # A 1×1 convolution and nearest neighbours commute: the convolution first is cheaper.
        passed: Tensor = F.interpolate(self.shortcut(x), scale_factor=2, mode="nearest")
        return passed + h


class DBlock(nn.Module):
    """Table XI: ReLU → conv 3×3 → ReLU → conv 3×3 → mean of 2×2, beside a 1×1 shortcut: h × w → h/2 × w/2.

    Args:
        first: the network's first block: its input is data, so it has no ReLU before it.
        down: halve height and width.
        spectral: with spectral norm.
        shortcut: False leaves the convolutions alone, "No Shortcut" in Table XIII.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        spectral: bool,
        first: bool = False,
        down: bool = True,
        shortcut: bool = True,
    ) -> None:
        super().__init__()
        self.first, self.down = first, down
        self.conv1 = conv(inputs, outputs, 3, spectral=spectral)
        self.conv2 = conv(outputs, outputs, 3, spectral=spectral)
        self.shortcut = conv(inputs, outputs, 1, spectral=spectral) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.conv2(torch.relu(self.conv1(x if self.first else torch.relu(x))))
        if self.down:
            h = F.avg_pool2d(h, 2)
        if self.shortcut is None:
            return h
        passed: Tensor = self.shortcut(F.avg_pool2d(x, 2) if self.down else x)
        return h + passed


class NonLocal(nn.Module):
    """Self-attention (Zhang et al. 2019): x + γ · o(softmax(θ φᵀ) g), γ = 0 at first; φ, g see 2×2 maxima."""

    def __init__(self, channels: int, *, spectral: bool) -> None:
        super().__init__()
        keys, values = max(channels // 8, 1), max(channels // 2, 1)
        self.theta = conv(channels, keys, 1, spectral=spectral)
        self.phi = conv(channels, keys, 1, spectral=spectral)
        self.g = conv(channels, values, 1, spectral=spectral)
        self.o = conv(values, channels, 1, spectral=spectral)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        theta = self.theta(x).flatten(2).transpose(1, 2)  # (batch, h w, keys)
        phi = F.max_pool2d(self.phi(x), 2).flatten(2).transpose(1, 2)  # (batch, h w / 4, keys)
        g = F.max_pool2d(self.g(x), 2).flatten(2).transpose(1, 2)  # (batch, h w / 4, values)
        o = attention(theta, phi, g).transpose(1, 2)  # (batch, values, h w)
        attended: Tensor = self.o(o.reshape(*o.shape[:2], *x.shape[2:]))
        return x + self.gamma * attended


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query keyᵀ) value, unscaled as in BigGAN, without the matrix (queries, keys) in memory.

    Zeros bring all three to one width, a multiple of 8, and the width lies last in memory: torch's kernels
    that need no matrix ask for that. Zeros change neither the products nor the values.

    Args:
        query: (batch, queries, width).
        key: (batch, keys, width).
        value: (batch, keys, value width).
    """
    width = -(-max(query.shape[2], value.shape[2]) // 8) * 8

    def padded(part: Tensor) -> Tensor:
        return F.pad(part, (0, width - part.shape[2])).contiguous()[:, None]

    whole = F.scaled_dot_product_attention(padded(query), padded(key), padded(value), scale=1.0)
    return whole[:, 0, :, : value.shape[2]]


class SumPool(nn.Module):
    """(batch, channels, h, w) → (batch, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=(2, 3))
