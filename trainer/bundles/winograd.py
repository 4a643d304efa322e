"""Convolutions along time with 2.5 times fewer multiplications, for exported graphs.

Source: S. Winograd, *Arithmetic Complexity of Computations* (1980), and Lavin and Gray, *Fast Algorithms for
Convolutional Neural Networks* (CVPR 2016), here in one dimension: F(4, 5) gives four outputs of a kernel of
five by 8 products instead of 20. The outputs differ by the rounding of float32 alone.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from bundle.arrays import Float64

OUTPUTS, KERNEL = 4, 5
TILE = OUTPUTS + KERNEL - 1
#: Where the polynomials are evaluated, and at infinity: the nearer to 1, the less is rounded.
POINTS = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0)


def transforms() -> tuple[Float64, Float64, Float64]:
    """A^T (4, 8), G (8, 5) and B^T (8, 8) of Lavin and Gray: y = A^T ((G g) ⊙ (B^T d)).

    A row of B^T is scaled to a largest entry of 1, and that of G the other way.
    """
    output, kernel, tile = (_evaluation(n) for n in (OUTPUTS, KERNEL, TILE))
    data = np.linalg.inv(tile).T
    scale = np.abs(data).max(axis=1, keepdims=True)
    return output.T, kernel * scale, data / scale


def _evaluation(coefficients: int) -> Float64:
    """Values of a polynomial at `POINTS`, then its leading coefficient: (8, coefficients)."""
    finite = np.vander(POINTS, coefficients, increasing=True)
    return np.vstack([finite, np.eye(coefficients)[-1]])


class WinogradConv(nn.Module):
    """A convolution of kernel 5 with padding "same", then ReLU: (batch, time, in) → (batch, time, out).

    The time has to be a multiple of four.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """`weight` (out, in, 5) and `bias` (out,) are those of the convolution."""
        super().__init__()
        output, kernel, data = (torch.from_numpy(matrix) for matrix in transforms())
        self.output: Tensor
        self.data: Tensor
        self.kernels: Tensor
        self.bias: Tensor
        kernels = torch.einsum("nr,oir->nio", kernel, weight.double())
        self.register_buffer("output", output.float())  # (4, 8)
        self.register_buffer("data", data.float())  # (8, 8)
        self.register_buffer("kernels", kernels.float().contiguous())  # (8, in, out)
        self.register_buffer("bias", bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        batch, time, channels = x.shape
        steps = F.pad(x, (0, 0, 2, 2)).reshape(batch, time // OUTPUTS + 1, OUTPUTS, channels)
        tiles = torch.cat([steps[:, :-1], steps[:, 1:]], dim=2).reshape(-1, TILE, channels)
        parts = (self.data @ tiles).transpose(0, 1)  # (8, tiles, in)
        # One product after the other: onnxruntime lays out the weights of a plain one beforehand.
        products = torch.stack([parts[i] @ self.kernels[i] for i in range(TILE)], dim=1)  # (tiles, 8, out)
        y = (self.output @ products).reshape(batch, time, -1)
        return torch.relu(y + self.bias)


def winograd_layers(layers: nn.Sequential) -> list[WinogradConv] | None:
    """The same convolutions in evaluation mode, with the weights of now.

    None where there are other layers than convolutions of kernel 5, each with batch norm and ReLU behind it.
    """
    convs = []
    for layer, norm in pairwise(layers):
        if isinstance(layer, nn.ReLU | nn.BatchNorm1d):
            continue
        if not (isinstance(layer, nn.Conv1d) and isinstance(norm, nn.BatchNorm1d)):
            return None
        if layer.kernel_size != (KERNEL,):
            return None
        assert norm.running_mean is not None
        assert norm.running_var is not None
        weight, bias = fuse_conv_bn_weights(
            layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        convs.append(WinogradConv(weight.detach(), bias.detach()))
    return convs or None
