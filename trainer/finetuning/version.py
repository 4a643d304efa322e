"""Writes a fine-tuned model as the next version of its parent's bundle."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bundle.manifest import MANIFEST
from trainer.audio.cache import ClipCache
from trainer.autodecompose.bundle import bundle_graphs
from trainer.bundles.update import update_onnx
from trainer.bundles.voice import CHECKED_CROPS, WEIGHTS, save_weights
from trainer.bundles.write import ExportError, Graph, partial_prefix, write_bundle, write_onnx
from trainer.finetuning.adapt import AdaptSettings
from trainer.finetuning.parent import Parent
from trainer.finetuning.report import FinetuneReport
from trainer.scoring.space_map import FittedMap

MAP = "map_from_parent.npy"


@dataclass(frozen=True)
class NewVersion:
    """Everything that the bundle of a new version is made of."""

    parent: Parent
    model: Parent  # the new one
    speech: ClipCache  # on which the graphs are checked
    settings: AdaptSettings
    report: FinetuneReport
    space_map: FittedMap  # from the parent's embeddings to the new model's


def write_version(new: NewVersion, out: Path) -> None:
    """Writes `out`, whole or not at all, and removes what a worker left that was killed while exporting.

    Raises:
        ExportError: a graph differs from its module.
    """
    for leftover in out.parent.glob(f"{partial_prefix(out)}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    crops = np.stack([new.speech.crop(i % len(new.speech), 0) for i in range(CHECKED_CROPS)])
    old = new.parent
    before = {graph.name: graph.module for graph in bundle_graphs(old.objective, old.voice, crops)}

    def write_graph(graph: Graph, path: Path) -> None:
        try:
            update_onnx(old.bundle.file(graph.name), path, before[graph.name], graph.module)
        except ExportError:  # layers that the exporter rearranges, LSTMs for one
            write_onnx(graph, path)

    objective = new.model.objective
    write_bundle(
        out,
        _manifest(new, out.name),
        bundle_graphs(objective, new.model.voice, crops),
        attachments={
            WEIGHTS: partial(save_weights, objective, objective.settings.to_json()),
            MAP: new.space_map.save,
        },
        write_graph=write_graph,
    )


def _manifest(new: NewVersion, version: str) -> dict[str, Any]:
    parent = new.parent.bundle
    # As it lies there: it may hold more than this release knows.
    inherited = json.loads((parent.path / MANIFEST).read_text())
    del inherited["files"]
    return {
        **inherited,
        "version": version,
        "parent": parent.version,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "map_from_parent": {
            "parent": parent.id,
            "file": Path(MAP).stem,
            "error": new.space_map.error,
            "unmapped_error": new.space_map.unmapped_error,
            "crops": new.space_map.crops,
        },
        "metrics": {"finetune": new.report.to_json()},  # the parent's figures are not this version's
        "training": {
            "parent": parent.version,
            "labels": "none",
            "recordings": new.report.recordings,
            "seconds": new.report.seconds,
            "settings": asdict(new.settings),
        },
    }
