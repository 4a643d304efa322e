"""New weights for an exported graph: the parent's ONNX file with other constants in it.

A new export takes torch seconds a file; the graph of a fine-tuned model is its parent's, so only numbers
change. They are found by their values: what the exporter named or folded them to does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from bundle.arrays import Float32
from trainer.bundles.winograd import WinogradConv
from trainer.bundles.write import ExportError


def update_onnx(source: Path, target: Path, old: nn.Module, new: nn.Module) -> None:
    """Writes `source`, the export of `old`, to `target` with the constants of `new`.

    Raises:
        ExportError: the modules have a layer this does not know, or a constant of `old` is not exactly once
            in `source`. `trainer.bundles.write.write_onnx` then makes a new graph.
    """
    model = onnx.load(source)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    changes: dict[str, Float32] = {}
    for before, after in zip(_constants(old.eval()), _constants(new.eval()), strict=True):
        names = [
            name
            for name, value in constants.items()
            if value.shape == before.shape and np.allclose(value, before, rtol=1e-4, atol=1e-6)
        ]
        if len(names) != 1 or names[0] in changes:
            raise ExportError(f"{source.name}: a constant {before.shape} was found {len(names)} times.")
        changes[names[0]] = after
    for tensor in model.graph.initializer:
        if tensor.name in changes:
            tensor.CopyFrom(numpy_helper.from_array(changes[tensor.name], tensor.name))
    onnx.save(model, target)


def _constants(module: nn.Module) -> Iterator[Float32]:
    """What an exported graph holds of a module's weights, batch norms folded into their convolutions."""
    layers = [
        layer for layer in module.modules() if not list(layer.children()) or isinstance(layer, nn.Sequential)
    ]
    for layer in layers:
        if isinstance(layer, nn.Conv1d | nn.BatchNorm1d | nn.InstanceNorm1d):
            continue  # its Sequential has it
        if isinstance(layer, WinogradConv):
            yield _array(layer.kernels)
            yield _array(layer.bias)
        elif isinstance(layer, nn.Sequential):
            yield from _sequence(layer)
        elif isinstance(layer, nn.Linear):
            yield _array(layer.weight.T)
            yield _array(layer.bias)
        elif list(layer.parameters()):
            raise ExportError(f"A layer {type(layer).__name__} cannot be updated in an exported graph.")
    for buffer in module._buffers.values():  # the module's own: whitening
        if buffer is not None:
            yield _array(buffer)


def _sequence(layers: nn.Sequential) -> Iterator[Float32]:
    for layer, after in pairwise([*layers, None]):
        if isinstance(layer, nn.InstanceNorm1d):
            yield _array(layer.weight)
            yield _array(layer.bias)
        if not isinstance(layer, nn.Conv1d):
            continue
        weight, bias = layer.weight, layer.bias
        if isinstance(after, nn.BatchNorm1d):
            assert after.running_mean is not None
            assert after.running_var is not None
            weight, bias = fuse_conv_bn_weights(
                weight, bias, after.running_mean, after.running_var, after.eps, after.weight, after.bias
            )
        yield _array(weight)
        if bias is not None:
            yield _array(bias)


def _array(tensor: torch.Tensor) -> Float32:
    return np.ascontiguousarray(tensor.detach().numpy())
