"""Floating-point operations of an ONNX graph, counted from the shapes of one real run."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, numpy_helper

_MOST_BANDS = 80  # a transform of 1024 samples has 256 bins and more in each product
_COUNTED = frozenset({"MatMul", "Gemm", "Conv", "LSTM"})


def flops_per_crop(path: Path) -> int:
    """Multiplications and additions of the matrix products, convolutions and LSTMs for one crop.

    Element-wise work is left out: it is under a percent, and the yardstick is a matrix product too.
    """
    return sum(flops_by_part(path).values())


def flops_by_part(path: Path, crop_samples: int = 16384) -> dict[str, int]:
    """Those of `flops_per_crop`, in a voice encoder's front-end (before the logarithm) and in its network."""
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
    logarithm = next((i for i, node in enumerate(model.graph.node) if node.op_type == "Log"), -1)
    front = {node.output[0] for node in model.graph.node[: max(logarithm, 0)]}
    parts = {"transform": 0, "mel bands": 0, "network": 0}
    for node in nodes:
        is_mel = shapes[node.output[0]][-1] <= _MOST_BANDS
        part = "network" if node.output[0] not in front else "mel bands" if is_mel else "transform"
        parts[part] += _flops(node, shapes)
    return parts


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
