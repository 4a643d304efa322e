"""ECAPA-TDNN: B. Desplanques, J. Thienpondt, K. Demuynck, arXiv 2005.07143, section 3 and figure 2."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DILATIONS = (2, 3, 4)  # of the three SE-Res2Blocks


def conv(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """Conv1D + ReLU + BN, as figure 2 orders them; the padding keeps the length."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding="same"),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(outputs),
    )


class Res2Conv(nn.Module):
    """Res2Net's dilated convolution: channels in `scale` groups; a group also gets the output before it."""

    def __init__(self, channels: int, kernel: int, dilation: int, scale: int) -> None:
        super().__init__()
        if channels % scale:
            raise ValueError(f"channels has to be a multiple of res2_scale, {scale}; {channels} is not.")
        width = channels // scale
        self.scale = scale
        self.convs = nn.ModuleList(conv(width, width, kernel, dilation) for _ in range(scale - 1))

    def forward(self, x: Tensor) -> Tensor:
        first, *groups = x.chunk(self.scale, dim=1)  # the first passes as it is
        outputs = [first]
        for layer, group in zip(self.convs, groups, strict=True):
            outputs.append(layer(group if len(outputs) == 1 else group + outputs[-1]))
        return torch.cat(outputs, dim=1)


class SqueezeExcitation(nn.Module):
    """Section 3.2, equations 4 and 5: z the mean over time, s = σ(W₂ f(W₁ z + b₁) + b₂), h̃_c = s_c h_c."""

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.W1, self.W2 = nn.Linear(channels, bottleneck), nn.Linear(bottleneck, channels)

    def forward(self, h: Tensor) -> Tensor:
        s = self.W2(self.W1(h.mean(dim=2)).relu()).sigmoid()  # (batch, channels)
        y: Tensor = h * s[:, :, None]
        return y


class SERes2Block(nn.Module):
    """1×1, Res2 dilated convolution, 1×1, squeeze-excitation, around a residual connection."""

    def __init__(self, channels: int, dilation: int, scale: int, bottleneck: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels),
            Res2Conv(channels, 3, dilation, scale),
            conv(channels, channels),
            SqueezeExcitation(channels, bottleneck),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class AttentiveStatistics(nn.Module):
    """Section 3.1: (batch, channels, time) → mean and deviation over time, (batch, 2 · channels).

    Each channel weighs the frames by α, a softmax over time of v f(W h_t + b) + k (equations 1 and 2). Here
    h_t is extended by the plain mean and deviation over time. μ̃ and σ̃ (equation 3) use the weights α.
    """

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.W = conv(3 * channels, bottleneck)
        self.v = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, h: Tensor) -> Tensor:
        even = torch.full_like(h[:, :1], 1 / h.shape[2])
        context = [part[:, :, None].expand_as(h) for part in _statistics(h, even)]
        alpha = self.v(self.W(torch.cat([h, *context], dim=1)).tanh()).softmax(dim=2)
        return torch.cat(_statistics(h, alpha), dim=1)


def _statistics(h: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation over time under weights that sum to 1, each (batch, channels)."""
    mean = (alpha * h).sum(dim=2)
    variance = (alpha * (h - mean[:, :, None]).square()).sum(dim=2)
    return mean, variance.clamp(min=1e-6).sqrt()


class EcapaTdnn(nn.Module):
    """Log-mel features (batch, time, mels) → embeddings (batch, width)."""

    def __init__(self, mels: int, channels: int, res2_scale: int, bottleneck: int, width: int) -> None:
        super().__init__()
        self.first = conv(mels, channels, 5)
        self.blocks = nn.ModuleList(
            SERes2Block(channels, dilation, res2_scale, bottleneck) for dilation in DILATIONS
        )
        wide = len(DILATIONS) * channels
        self.aggregate = nn.Sequential(nn.Conv1d(wide, wide, 1), nn.ReLU(inplace=True))
        self.pool = AttentiveStatistics(wide, bottleneck)
        self.last = nn.Sequential(nn.BatchNorm1d(2 * wide), nn.Linear(2 * wide, width), nn.BatchNorm1d(width))

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(dim=1, keepdim=True)  # section 4.2: each band's mean is subtracted
        h = self.first(x.transpose(1, 2))
        outputs: list[Tensor] = []
        for block in self.blocks:  # the input of each is the sum of all before it (section 3.3)
            outputs.append(block(h))
            h = h + outputs[-1]
        y: Tensor = self.last(self.pool(self.aggregate(torch.cat(outputs, dim=1))))
        return y
