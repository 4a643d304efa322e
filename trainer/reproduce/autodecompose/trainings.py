"""The trained models and figures of the Autodecompose paper."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, read_noise
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.reproduce.autodecompose.material import clips_of, first_seconds
from trainer.reproduce.autodecompose.settings import (
    UNTRAINED,
    AutodecomposeScale,
    Effort,
    Variant,
    objective_settings,
)
from trainer.reproduce.runs import Card, PaperRuns
from trainer.training.batches import PairSampler
from trainer.training.checkpoint import load_checkpoint, read_step
from trainer.training.distributed import training_group
from trainer.training.loop import LoopSettings, Sampler, train

SHOT_S = 10


@dataclass(frozen=True, kw_only=True)
class AutodecomposeRuns(PaperRuns):
    """What every part of the page works with.

    Attributes:
        data: folder of the corpora.
    """

    data: Path
    scale: AutodecomposeScale

    def clips(self, name: str) -> list[Clip]:
        """The recordings of one of `material.SETS`."""
        return clips_of(self.data, name, self.scale.speakers)

    def figures(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Stored figures; computed if there are none of this scale."""
        figures: dict[str, Any] = self.stored(name, {"scale": asdict(self.scale)}, compute)
        return figures

    def noise(self) -> ClipCache | None:
        """Noise of the train split; None without a corpus of it."""
        folder = self.data / "noise"
        return self.cache(read_noise(folder, "train")) if folder.is_dir() else None

    def model(self, variant: Variant) -> Objective:
        """A variant, trained if it is not yet. The model that it is fine-tuned from is trained first."""
        scale = self.scale
        settings = objective_settings(variant.objective, scale.networks)
        parent = variant.parent
        if parent is None:
            return self.autodecompose(variant.name, settings, self.clips(variant.source), scale.pretrain)
        self.model(parent)
        clips = self.clips(variant.target)
        if variant.tuned == "10 s":
            clips, _ = first_seconds(clips, SHOT_S)
        return self.autodecompose(variant.name, settings, clips, scale.tune, parent.name)

    def trained_on(self, objective: str, source: str) -> Objective:
        """A pre-trained model, or the one without training if `objective` is `UNTRAINED`."""
        return self.untrained() if objective == UNTRAINED else self.model(Variant(objective, source))

    def untrained(self) -> Objective:
        """What a training begins with: a floor of every table."""
        torch.manual_seed(0)
        return Objective(objective_settings("plain", self.scale.networks))

    def lengths(self, variants: Iterable[Variant]) -> list[str]:
        """`<name> 5 epochs, 2060 steps` of each training that there is, by name."""
        said = {}
        for name in sorted({variant.name for variant in variants}):
            run = self.run(name)
            if run.checkpoint.is_file():
                epochs = json.loads(run.card.read_text())["settings"]["epochs"]
                said[name] = f"{name} {epochs} epochs, {read_step(run.checkpoint)} steps"
        return list(said.values())

    def autodecompose(
        self,
        name: str,
        settings: TrainSettings,
        clips: list[Clip],
        effort: Effort,
        start: str | None = None,
    ) -> Objective:
        """Trains on clips, with noise if the settings have acoustics; see `train`."""
        noise = self.noise() if settings.acoustics is not None else None
        speech = self.cache(clips)
        sampler = PairSampler(speech, noise, settings.batch, settings.seed)
        settings = replace(settings, epochs=effort.within(sampler.steps_per_epoch))
        torch.manual_seed(settings.seed)
        objective = Objective(settings)
        self.train(name, settings, objective, sampler, speech, start)
        return objective

    def train(
        self,
        name: str,
        settings: LoopSettings,
        objective: nn.Module,
        sampler: Sampler,
        speech: ClipCache,
        start: str | None = None,
    ) -> None:
        """Trains the objective in place as trained/<name>; it ends in evaluation mode on the CPU.

        Args:
            speech: what the sampler draws from.
            start: the training whose weights this one begins with.

        Raises:
            ValueError: trained/<name> was begun with other settings or other audio.
        """
        parent = self.run(start) if start else None
        card = {
            "settings": settings.to_json(),
            "clips": _digest(speech),
            "start": json.loads(parent.card.read_text()) if parent else None,
        }
        run = self.begin(name, card, _lasting)
        if parent is not None:
            load_checkpoint(parent.checkpoint, {"objective": objective})
        with training_group() as group:
            train(
                settings,
                objective,
                sampler,
                run.path,
                group=group,
                report=self.progress(name),
            )


def _digest(speech: ClipCache) -> str:
    names = "\n".join(f"{clip.corpus}/{clip.path.name}" for clip in speech.clips)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _lasting(card: Card) -> Card:
    """All but the epochs of a training at a constant rate, which may go on longer."""
    settings = dict(card["settings"])
    if settings["constant_rate"]:
        del settings["epochs"]
    return {**card, "settings": settings}
