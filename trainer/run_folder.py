"""What a training leaves, and what is read from it again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from trainer.checkpoint import load_checkpoint, read_settings
from trainer.models import MODELS, ModelSettings


@dataclass(frozen=True)
class RunFolder:
    """What a training leaves: checkpoint.safetensors, losses.csv, losses.png and run.json."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def card(self) -> Path:
        return self.path / "run.json"

    @property
    def model(self) -> str:
        """Which of `trainer.models.MODELS` was trained; the oldest cards name none."""
        name: str = json.loads(self.card.read_text()).get("model", "autodecompose")
        return name

    def settings(self) -> ModelSettings:
        return MODELS[self.model].settings.from_json(read_settings(self.checkpoint))


def load_objective(run: RunFolder) -> tuple[nn.Module, int]:
    """A run's model in evaluation mode, and the step it was trained to."""
    objective = MODELS[run.model].objective(run.settings())
    step = load_checkpoint(run.checkpoint, {"objective": objective})
    return objective.eval(), step
