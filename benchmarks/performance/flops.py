"""Floating-point operations of an ONNX graph, counted from the shapes of one real run."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, numpy_helper

_COUNTED = frozenset({"MatMul", "Gemm", "Conv", "LSTM"})


def flops_per_crop(path: Path, crop_samples: int = 16384) -> int:
    """Multiplications and additions of the matrix products, convolutions and LSTMs for one crop.

    Element-wise work is left out: it is under a percent, and the yardstick is a matrix product too.
    """
    model = onnx.load(path)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    weights |= {node.output[0]: _constant(node) for node in model.graph.node if node.op_type == "Constant"}
    nodes = [node for node in model.graph.node if node.op_type in _COUNTED]
    names = {name for node in nodes for name in (node.input[0], node.input[1], node.output[0])} - set(weights)
    inputs = {value.name for value in model.graph.input}
    present = {value.name for value in model.graph.output} | inputs
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names - present))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    crop = np.zeros((1, crop_samples), np.float32)
    values = session.run(None, {"waveform": crop})
    shapes = weights | {
        out.name: value.shape for out, value in zip(session.get_outputs(), values, strict=True)
    }
    shapes["waveform"] = crop.shape
    return sum(_flops(node, shapes) for node in nodes)


def _flops(node: NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    left, right, out = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
    match node.op_type:
        case "Conv":  # weights (out, in / groups, *kernel)
            return 2 * prod(out) * prod(right[1:])
        case "LSTM":  # x (time, batch, in), weights (directions, 4 · hidden, in), recurrent (…, hidden)
            directions, gates, width = right
            return 2 * left[0] * left[1] * directions * gates * (width + gates // 4)
        case "Gemm" if any(a.name == "transA" and a.i for a in node.attribute):
            return 2 * prod(out) * left[0]
        case _:
            return 2 * prod(out) * left[-1]


def _constant(node: NodeProto) -> tuple[int, ...]:
    for attribute in node.attribute:
        if attribute.name == "value":
            return tuple(int(side) for side in numpy_helper.to_array(attribute.t).shape)
    return ()
