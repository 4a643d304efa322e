"""ResNet-18 and ResNet-50 (He et al. 2016) with one input channel and a choice of width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}  # blocks a stage
EXPANSION = 4  # of a bottleneck's last convolution


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, then batch norm; the padding keeps the size at stride 1."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)); a 1×1 convolution is the shortcut where the shape changes."""

    def __init__(self, body: nn.Module, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = body
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def basic(inputs: int, width: int, stride: int) -> Residual:
    """ResNet-18's block: two 3×3 convolutions."""
    body = nn.Sequential(conv(inputs, width, 3, stride), nn.ReLU(inplace=True), conv(width, width, 3))
    return Residual(body, inputs, width, stride)


def bottleneck(inputs: int, width: int, stride: int) -> Residual:
    """ResNet-50's block: 1×1 down, 3×3, 1×1 up to four times the width."""
    body = nn.Sequential(
        conv(inputs, width, 1),
        nn.ReLU(inplace=True),
        conv(width, width, 3, stride),
        nn.ReLU(inplace=True),
        conv(width, EXPANSION * width, 1),
    )
    return Residual(body, inputs, EXPANSION * width, stride)


class ResNet(nn.Module):
    """Spectrograms (batch, frequency, time) → representations (batch, features), averaged over both axes.

    Attributes:
        features: 8 · width for ResNet-18, 32 · width for ResNet-50: 512 and 2048 at the original width of 64.

    Raises:
        ValueError: a depth other than 18 and 50.
    """

    def __init__(self, depth: int = 50, width: int = 64) -> None:
        super().__init__()
        if depth not in STAGES:
            raise ValueError(f"depth is one of {sorted(STAGES)}, not {depth}.")
        expansion = 1 if depth == 18 else EXPANSION
        layers: list[nn.Module] = [conv(1, width, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
        inputs = width
        for stage, blocks in enumerate(STAGES[depth]):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                layers.append((basic if depth == 18 else bottleneck)(inputs, width << stage, stride))
                inputs = expansion * (width << stage)
        self.layers = nn.Sequential(*layers)
        self.features = inputs
        # Convolutions on the CPU are about twice as fast with the channels last.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x[:, None].contiguous(memory_format=torch.channels_last))
        return y.mean(dim=(2, 3))
