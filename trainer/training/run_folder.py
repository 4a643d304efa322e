"""The folder that a training writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """The files of a training: checkpoint.safetensors, losses.csv, losses.png and run.json."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def card(self) -> Path:
        return self.path / "run.json"

    @property
    def model(self) -> str:
        """The name of the model that was trained; the oldest cards name none."""
        name: str = json.loads(self.card.read_text()).get("model", "autodecompose")
        return name
