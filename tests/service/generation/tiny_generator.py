"""A bundle of kind gaae (docs/gaae.md) that generates tones: the label sets the pitch, z shifts it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = ("low", "middle", "high tone")
LATENT, BINS, FRAMES = 4, 128, 64
BIN_HZ = 8000 / 256
FIRST_BIN, BINS_A_LABEL, SHIFT_BINS = 20.0, 30.0, 4.0  # bin = 20 + 30 · label + 4 · tanh(z[0])


def _model(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], **constants: np.ndarray[Any, Any]
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, *kind) for name, kind in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _generator() -> bytes:
    node = helper.make_node
    weights = np.zeros((LATENT, 1), np.float32)
    weights[0] = 1
    return _model(
        [
            node("MatMul", ["z", "weights"], ["first"]),  # (batch, 1)
            node("Tanh", ["first"], ["bounded"]),
            node("Mul", ["bounded", "shift"], ["shifted"]),
            node("Cast", ["label"], ["number"], to=TensorProto.FLOAT),
            node("Reshape", ["number", "column"], ["numbers"]),
            node("Mul", ["numbers", "apart"], ["pitches"]),
            node("Add", ["pitches", "shifted"], ["moved"]),
            node("Reshape", ["moved", "cube"], ["centre"]),  # (batch, 1, 1)
            node("Sub", ["bins", "centre"], ["distance"]),  # (batch, 128, 1)
            node("Mul", ["distance", "distance"], ["squared"]),
            node("Mul", ["squared", "width"], ["fall"]),
            node("Sub", ["top", "fall"], ["peak"]),  # (batch, 128, 64)
            node("Clip", ["peak", "least", "most"], ["spectrogram"]),
        ],
        {"z": (TensorProto.FLOAT, ["batch", LATENT]), "label": (TensorProto.INT64, ["batch"])},
        {"spectrogram": (TensorProto.FLOAT, ["batch", BINS, FRAMES])},
        weights=weights,
        shift=np.array([SHIFT_BINS], np.float32),
        apart=np.array([BINS_A_LABEL], np.float32),
        column=np.array([-1, 1], np.int64),
        cube=np.array([-1, 1, 1], np.int64),
        bins=(np.arange(BINS, dtype=np.float32) - FIRST_BIN).reshape(1, BINS, 1),
        width=np.array([0.16], np.float32),  # as wide as a steady tone is in a Hann window
        top=np.ones((1, 1, FRAMES), np.float32),
        least=np.array(-1, np.float32),
        most=np.array(1, np.float32),
    )


def _style() -> bytes:
    """z[0] = 20 · mean |waveform| − 1."""
    weights = np.zeros((16_000, LATENT), np.float32)
    weights[:, 0] = 20 / 16_000
    return _model(
        [
            helper.make_node("Abs", ["waveform"], ["magnitude"]),
            helper.make_node("MatMul", ["magnitude", "weights"], ["level"]),
            helper.make_node("Sub", ["level", "one"], ["style"]),
        ],
        {"waveform": (TensorProto.FLOAT, ["batch", 16_000])},
        {"style": (TensorProto.FLOAT, ["batch", LATENT])},
        weights=weights,
        one=np.array([1], np.float32),
    )


def write_generator(models_dir: Path, version: str, *, day: int = 1, **fields: object) -> Path:
    """Writes `models_dir`/gaae/`version`; `fields` replace those of the manifest."""
    folder = models_dir / "gaae" / version
    folder.mkdir(parents=True)
    files = {}
    for name, data in {"generator": _generator(), "style": _style()}.items():
        (folder / f"{name}.onnx").write_bytes(data)
        files[name] = {
            "path": f"{name}.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }
    manifest = {
        "format": 1,
        "name": "gaae",
        "version": version,
        "kind": "gaae",
        "parent": None,
        "created_at": f"2026-02-{day:02d}T00:00:00Z",
        "sample_rate_hz": 16000,
        "waveform_samples": 16000,
        "labels": LABELS,
        "label_column": "tone",
        "language": "ar",
        "latent_dim": LATENT,
        "guided_dim": 2,
        "prior": {"distribution": "normal", "mean": 0.0, "std": 1.0},
        "spectrogram": {
            "sample_rate_hz": 8000,
            "window": 256,
            "hop": 128,
            "bins": BINS,
            "frames": FRAMES,
            "r": 10.0,
            "window_shape": "hann",
        },
        "files": files,
        "metrics": {},
        "training": {},
    }
    (folder / "bundle.json").write_text(json.dumps(manifest | fields))
    return folder
