"""Modules → ONNX files → a bundle folder (docs/architecture.md), each file checked against its module."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from trainer.bundles.files import WriteFile, write_folder

OPSET = 20
CHECKED_BATCHES = (1, 2, 7, 32)
TOLERANCE = 1e-4  # largest difference between ONNX and torch, on real crops; of outputs above 1, their share


class ExportError(Exception):
    """An exported file that does not compute what its module computes."""


@dataclass(frozen=True)
class Graph:
    """One ONNX file of a bundle: a module, example inputs (batch first) and the names of its ends."""

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def write_bundle(
    folder: Path,
    manifest: dict[str, Any],
    graphs: Sequence[Graph],
    attachments: Mapping[str, WriteFile] | None = None,
    write_graph: Callable[[Graph, Path], None] | None = None,
) -> None:
    """Writes a bundle folder, whole or not at all.

    Args:
        folder: `models/<name>/<version>`; must not exist, since versions are immutable.
        manifest: bundle.json without `files`.
        attachments: what writes further files, by file name: the trainable weights, say.
        write_graph: makes a graph's ONNX file; `write_onnx` by default. Each file is checked either way.

    Raises:
        FileExistsError: the version is there already, or somebody else wrote it meanwhile.
        ExportError: an ONNX file differs from its module.
    """

    def write_checked(graph: Graph, path: Path) -> None:
        (write_graph or write_onnx)(graph, path)
        check_onnx(graph, path)

    files = {f"{graph.name}.onnx": partial(write_checked, graph) for graph in graphs}
    write_folder(folder, manifest, {**files, **(attachments or {})})


def write_onnx(graph: Graph, path: Path) -> None:
    """Exports a module with a dynamic first axis."""
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch 2.11's own exporter meets its own deprecations
        torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            path,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=tuple({0: batch} for _ in graph.inputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _drop_traces(path)


def _drop_traces(path: Path) -> None:
    """The exporter notes each node's Python stack, with the paths of this machine: nobody else's business."""
    model = onnx.load(path)
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        del part.metadata_props[:]
    onnx.save(model, path)


def check_onnx(graph: Graph, path: Path) -> None:
    """Runs file and module on the graph's inputs at several batch sizes.

    Raises:
        ExportError: they differ by more than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for size in CHECKED_BATCHES:
        inputs = {
            name: x.repeat(-(-size // len(x)), *[1] * (x.ndim - 1))[:size] for name, x in graph.inputs.items()
        }
        with torch.no_grad():
            expected = graph.module(*inputs.values())
        outputs = session.run(list(graph.outputs), {name: x.numpy() for name, x in inputs.items()})
        for name, ours, theirs in zip(
            graph.outputs, expected if isinstance(expected, tuple) else (expected,), outputs, strict=True
        ):
            difference = float(np.abs(ours.numpy() - theirs).max())
            if not difference <= TOLERANCE * max(1.0, float(ours.abs().max())):
                raise ExportError(
                    f"{path.name}: output {name} differs from the module by {difference:.2g} at batch {size}."
                )
