"""The models that `trainer pretrain` and `trainer export` know, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import nn

from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import PRESETS as AUTODECOMPOSE_PRESETS
from trainer.autodecompose.settings import TrainSettings
from trainer.barlow_twins.bundle import barlow_twins_voice
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import PRESETS as BARLOW_TWINS_PRESETS
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.training.checkpoint import load_checkpoint, read_settings
from trainer.training.loop import LoopSettings
from trainer.training.run_folder import RunFolder


class ModelSettings(LoopSettings, Protocol):
    """What `pretrain` reads of a model's settings, beside what the loop reads."""

    @property
    def batch(self) -> int: ...
    @property
    def same_voice_seconds(self) -> float: ...
    @property
    def clusters(self) -> int: ...
    def counts(self) -> dict[str, int]: ...
    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self: ...


@dataclass(frozen=True)
class TrainableModel:
    """What `pretrain` and `export` need of a model."""

    settings: type[ModelSettings]
    presets: Mapping[str, ModelSettings]  # the first is the default
    objective: Any  # (settings) → nn.Module: (batch, generator) → losses by name
    voice: Any  # (trained objective) → VoiceModel, from which a bundle is made


MODELS = {
    "autodecompose": TrainableModel(TrainSettings, AUTODECOMPOSE_PRESETS, Objective, autodecompose_voice),
    "barlow_twins": TrainableModel(
        BarlowTwinsSettings, BARLOW_TWINS_PRESETS, BarlowTwins, barlow_twins_voice
    ),
}


def run_settings(run: RunFolder) -> ModelSettings:
    """The settings that a run was trained with."""
    return MODELS[run.model].settings.from_json(read_settings(run.require_checkpoint()))


def load_objective(run: RunFolder) -> tuple[nn.Module, int]:
    """A run's model in evaluation mode, and the step it was trained to."""
    objective = MODELS[run.model].objective(run_settings(run))
    step = load_checkpoint(run.checkpoint, {"objective": objective})
    return objective.eval(), step
