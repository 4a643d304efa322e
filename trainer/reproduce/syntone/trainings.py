"""The trained models and figures of the SynTone paper."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch

from trainer.audio.folders import DataError
from trainer.reproduce.runs import PaperRuns
from trainer.syntone.dataset import HELD_OUT, SynTone
from trainer.syntone.features import grid_features
from trainer.syntone.measure import CodeMeasures, measure
from trainer.syntone.objectives import AutodecomposeVAE, Material, SynToneModel
from trainer.syntone.settings import SETTINGS, SynToneSettings
from trainer.syntone.theorem import Known, theorem
from trainer.syntone.train import train
from trainer.training.run_folder import RunFolder

#: Epochs by `--scale`, None for the settings' own. The paper names none; its deviations are over ten runs.
SCALES: dict[str, int | None] = {"cpu": None, "paper": 10}


@dataclass(frozen=True, kw_only=True)
class SynToneRuns(PaperRuns):
    """What the page works with. A training lies in `<model>-<run>/`.

    Attributes:
        epochs: in place of the settings'; None leaves these.
    """

    grid: SynTone
    epochs: int | None = None

    @cached_property
    def material(self) -> Material:
        """The clips of the grid, decoded to features."""
        self.say(f"features of {len(self.grid)} clips")
        return Material(self.grid, grid_features(self.grid))

    def settings(self, name: str, run: int) -> SynToneSettings:
        settings = replace(SETTINGS[name], seed=run)
        return settings if self.epochs is None else replace(settings, epochs=self.epochs)

    def model(self, name: str, run: int) -> SynToneModel:
        """A trained model; trained if it is not yet.

        Raises:
            DataError: its folder was begun with other settings.
        """
        training = RunFolder(self.folder / f"{name}-{run}")
        report = self.progress(f"{name}, run {run}")
        try:
            return train(self.settings(name, run), self.material, training.checkpoint, report, self.device)
        except ValueError as error:
            raise DataError(str(error)) from error

    def theorem(self, run: int, *, trained: bool = True) -> Known:
        """Figures of one training of Autodecompose, or of its weights before it.

        Raises:
            DataError: the folder holds a training of other settings.
        """
        settings = self.settings("autodecompose", run)

        def compute() -> Known:
            torch.manual_seed(settings.seed)
            model = self.model("autodecompose", run) if trained else AutodecomposeVAE(settings).eval()
            assert isinstance(model, AutodecomposeVAE)
            return theorem(model, self.material)

        name = f"theorem-{run}" if trained else f"theorem-untrained-{run}"
        figures: Known = self.stored(name, self._made_with(settings), compute)
        return figures

    def measures(self, name: str, run: int) -> CodeMeasures:
        """One training's figures.

        Raises:
            DataError: the folder holds a training of other settings.
        """
        figures = self.stored(
            f"{name}-{run}",
            self._made_with(self.settings(name, run)),
            lambda: measure(self.model(name, run), self.material).to_json(),
        )
        return CodeMeasures(**figures)

    def _made_with(self, settings: SynToneSettings) -> dict[str, Any]:
        return {"settings": asdict(settings), "grid": asdict(self.grid), "held out": f"1 of {HELD_OUT}"}
