"""Writes a fine-tuned model as the next version of its parent's bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bundle.adaptation import Adaptation
from bundle.arrays import Float32
from bundle.manifest import MANIFEST
from bundle.voice import VoiceBundle
from trainer.bundles.files import WriteFile, link_file, partial_prefix, write_folder
from trainer.finetuning.report import FinetuneReport
from trainer.scoring.space_map import FittedMap

MAP = "map_from_parent.npy"
ADAPTATION = "adaptation.npy"
PICTURE = "report.png"


@dataclass(frozen=True, eq=False)
class NewVersion:
    """Everything that the bundle of a new version is made of."""

    parent: VoiceBundle
    network: Mapping[str, WriteFile]  # what writes the files of the network; empty: they are the parent's
    matrix: Float32  # (dim, dim) that the network's embeddings are multiplied with
    adaptation: Adaptation
    space_map: FittedMap  # from the parent's embeddings to the new version's
    report: FinetuneReport
    picture: bytes  # PNG
    settings: dict[str, Any]


def write_version(new: NewVersion, out: Path) -> None:
    """Writes `out`, whole or not at all, and removes what a worker left that was killed while exporting.

    Raises:
        FileExistsError: the version is there already.
        trainer.bundles.write.ExportError: a graph differs from its module.
    """
    for leftover in out.parent.glob(f"{partial_prefix(out)}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    parents = {
        entry.path: partial(link_file, new.parent.path / entry.path)
        for entry in new.parent.files.values()
        if entry.path not in (MAP, ADAPTATION, PICTURE)
    }
    files: Mapping[str, WriteFile] = {
        **(new.network or parents),
        ADAPTATION: partial(_save, new.matrix),
        MAP: partial(_save, new.space_map.table),
        PICTURE: partial(_write, new.picture),
    }
    write_folder(out, _manifest(new, out.name), files)


def _save(table: Float32, path: Path) -> None:
    np.save(path, table, allow_pickle=False)


def _write(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _manifest(new: NewVersion, version: str) -> dict[str, Any]:
    # As it lies there: it may hold more than this release knows.
    inherited = json.loads((new.parent.path / MANIFEST).read_text())
    del inherited["files"]
    return {
        **inherited,
        "format": 2,
        "version": version,
        "parent": new.parent.version,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "scoring": new.adaptation.scoring.model_dump(mode="json"),
        "adaptation": Path(ADAPTATION).stem,
        "map_from_parent": {
            "parent": new.parent.id,
            "file": Path(MAP).stem,
            "error": max(new.space_map.error, 0.0),
            "unmapped_error": new.space_map.unmapped_error,
            "inverse_error": max(new.space_map.inverse_error, 0.0),
            "crops": new.space_map.crops,
        },
        "metrics": {"finetune": new.report.to_json()},  # the parent's figures are not this version's
        "training": {
            "parent": new.parent.version,
            "labels": "none",
            "recordings": new.report.recordings,
            "seconds": new.report.seconds,
            "settings": new.settings,
        },
    }
