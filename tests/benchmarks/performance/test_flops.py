from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.performance.flops import flops_per_crop


def test_counts_products_convolutions_and_lstms(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    constants: dict[str, np.ndarray] = {
        "shape": np.array([-1, 64, 256], np.int64),
        "dense": rng.normal(size=(256, 80)).astype(np.float32),
        "kernel": rng.normal(size=(32, 80, 3)).astype(np.float32),
        "w": rng.normal(size=(1, 40, 32)).astype(np.float32),
        "r": rng.normal(size=(1, 40, 10)).astype(np.float32),
        "first": np.array([0], np.int64),
        "out": rng.normal(size=(7, 32)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["waveform", "shape"], ["framed"]),
        helper.make_node("MatMul", ["framed", "dense"], ["mel"]),  # (batch, 64, 80)
        helper.make_node("Transpose", ["mel"], ["channels"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["channels", "kernel"], ["convolved"], pads=[1, 1]),  # (batch, 32, 64)
        helper.make_node("Transpose", ["convolved"], ["steps"], perm=[2, 0, 1]),
        helper.make_node("LSTM", ["steps", "w", "r"], ["sequence"], hidden_size=10),
        helper.make_node("ReduceMean", ["steps", "first"], ["pooled"], keepdims=0),  # (batch, 32)
        helper.make_node("Gemm", ["pooled", "out"], ["embedding"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "counted",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", 16384])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path = tmp_path / "counted.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    model.graph.output.append(onnx.ValueInfoProto(name="sequence"))
    onnx.save(model, path)
    expected = 64 * 80 * 256 + 64 * 32 * 80 * 3 + 64 * 40 * (32 + 10) + 7 * 32
    assert flops_per_crop(path) == 2 * expected
