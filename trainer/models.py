"""The models that `trainer pretrain` and `trainer export` know, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from trainer.autodecompose.bundle import export_autodecompose
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import PRESETS as AUTODECOMPOSE_PRESETS
from trainer.autodecompose.settings import TrainSettings
from trainer.barlow_twins.bundle import export_barlow_twins
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import PRESETS as BARLOW_TWINS_PRESETS
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.loop import LoopSettings


class ModelSettings(LoopSettings, Protocol):
    """What every model's settings tell the training, beside what the loop reads."""

    @property
    def batch(self) -> int: ...
    @property
    def same_voice_seconds(self) -> float: ...
    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self: ...


@dataclass(frozen=True)
class Model:
    settings: type[ModelSettings]
    presets: Mapping[str, ModelSettings]  # the first is the default
    objective: Any  # (settings) → nn.Module: (batch, generator) → losses by name
    export: Any  # (objective, clips, folder, *, training, progress) → a bundle in the folder


MODELS = {
    "autodecompose": Model(TrainSettings, AUTODECOMPOSE_PRESETS, Objective, export_autodecompose),
    "barlow_twins": Model(BarlowTwinsSettings, BARLOW_TWINS_PRESETS, BarlowTwins, export_barlow_twins),
}
