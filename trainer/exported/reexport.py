"""The ONNX files of a bundle, made anew from its weights: the same numbers as this release computes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

from bundle.arrays import Float32
from bundle.manifest import MANIFEST
from bundle.voice import VoiceBundle
from trainer.audio.folders import contiguous_crops, read_audio
from trainer.bundles.voice import CHECKED_CROPS
from trainer.bundles.write import ExportError, check_onnx, write_onnx
from trainer.finetuning.network import Network
from trainer.training.material import Material

SAME = 2e-5  # largest difference to the files before


def reexport(folder: Path, data: Path) -> dict[str, float]:
    """Writes the graphs of a bundle anew, in place. Its version stays, and enrolled voices go on as before.

    Args:
        data: folder of the corpora of its card, for the crops on which old and new files are compared.

    Returns:
        The largest difference between old and new outputs, for each file.

    Raises:
        BundleError, DataError: the bundle or its corpora cannot be used.
        ExportError: a new file differs from its module, or from the file before. Nothing was changed then.
        FinetuneError: the bundle has no trainable weights.
    """
    bundle = VoiceBundle.load(folder)
    network = Network.load(bundle)
    clips = Material.of_card(bundle.training, data).speech()
    crops = np.concatenate([contiguous_crops(read_audio(clip.path)) for clip in clips[:CHECKED_CROPS]])
    graphs = network.graphs(crops[:CHECKED_CROPS], network.graph_whitening)
    differences = {}
    manifest = json.loads((folder / MANIFEST).read_text())
    with TemporaryDirectory(dir=folder.parent, prefix=".reexport-") as temporary:
        for graph in graphs:
            path = Path(temporary) / bundle.files[graph.name].path
            write_onnx(graph, path)
            check_onnx(graph, path)
            inputs = {name: x.numpy() for name, x in graph.inputs.items()}
            differences[graph.name] = _difference(bundle.file(graph.name), path, inputs)
            if differences[graph.name] > SAME:
                raise ExportError(f"{path.name} would differ from before by {differences[graph.name]:.2g}.")
            content = path.read_bytes()
            entry = manifest["files"][graph.name]
            entry.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        partial = Path(temporary) / MANIFEST
        partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        for path in (*(Path(temporary) / bundle.files[graph.name].path for graph in graphs), partial):
            path.chmod(0o644)
            path.replace(folder / path.name)
    return differences


def _difference(old: Path, new: Path, inputs: dict[str, Float32]) -> float:
    outputs = [
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)
        for path in (old, new)
    ]
    return max(float(np.abs(before - after).max()) for before, after in zip(*outputs, strict=True))
