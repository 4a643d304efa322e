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

    def require_checkpoint(self) -> Path:
        """The checkpoint's path.

        Raises:
            FileNotFoundError: there is none; the message says why, and what to do.
        """
        if not self.path.is_dir():
            raise FileNotFoundError(f"{self.path} is no folder: give the --out of a training.")
        if not self.checkpoint.is_file():
            raise FileNotFoundError(
                f"{self.path} has no {self.checkpoint.name}: its training did not get that far. "
                "Train with the same --out again. A checkpoint comes every few minutes, and on Ctrl-C."
            )
        return self.checkpoint

    @property
    def card(self) -> Path:
        return self.path / "run.json"

    @property
    def model(self) -> str:
        """The name of the model that was trained; the oldest cards name none."""
        name: str = json.loads(self.card.read_text()).get("model", "autodecompose")
        return name
