"""Adds to a bundle how probes from narrow lines are read."""

from __future__ import annotations

import json
from pathlib import Path

from rich.progress import Progress

from bundle.manifest import MANIFEST
from trainer.bundles.runner import BundleRunner
from trainer.scoring.narrow import fit_narrow
from trainer.training.material import Material


def add_narrow(folder: Path, data: Path, progress: Progress) -> None:
    """Fits `scoring.narrow` on the train speakers of the bundle's card, and writes it into bundle.json.

    Raises:
        BundleError, DataError, ScoringError: the bundle or its corpora cannot be used.
    """
    runner = BundleRunner.load(folder, threads=1)
    clips = Material.of_card(runner.manifest.training, data).speech()
    narrow = fit_narrow(clips, runner.embed, runner.manifest.scoring.mean, progress)
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["scoring"]["narrow"] = narrow
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)
