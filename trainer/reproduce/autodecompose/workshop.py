"""Trained models and finished rows, kept in a folder: a command that was stopped goes on there."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import Clip, read_noise
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.pages.kept import kept
from trainer.reproduce.autodecompose.material import clips_of, first_seconds
from trainer.reproduce.autodecompose.settings import Effort, Scale, Variant, objective_settings
from trainer.training.batches import PairSampler
from trainer.training.distributed import training_group
from trainer.training.loop import LoopSettings, Report, Sampler, train

Say = Callable[[str], None]
SHOT_S = 10
REPORT_S = 30.0  # between two lines of progress


@dataclass(frozen=True)
class Workshop:
    """What every part works with.

    Attributes:
        folder: holds `trained/<name>/`, run folders, `rows/<name>.json`, finished figures, and `cache/`.
    """

    data: Path
    folder: Path
    scale: Scale
    say: Say

    def clips(self, name: str) -> list[Clip]:
        return clips_of(self.data, name, self.scale.speakers)

    def row(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Figures from rows/<name>.json, computed where there are none yet, or only some of another scale."""
        path = self.folder / "rows" / f"{name}.json"
        figures: dict[str, Any] = kept(path, {"scale": asdict(self.scale)}, compute, self.say)
        return figures

    def cache(self, clips: Sequence[Clip]) -> ClipCache:
        return build_cache(clips, self.folder / "cache", warn=self.say)

    def noise(self) -> ClipCache | None:
        """Noise of the train split, where there is a corpus of it."""
        folder = self.data / "noise"
        return self.cache(read_noise(folder, "train")) if folder.is_dir() else None

    def model(self, variant: Variant) -> Objective:
        """A variant, trained where it has not been yet; so is what it is fine-tuned from."""
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

    def autodecompose(
        self,
        name: str,
        settings: TrainSettings,
        clips: Sequence[Clip],
        effort: Effort,
        start: str | None = None,
    ) -> Objective:
        """Trains on clips, with noise where the objective degrades them; see `train`."""
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
        trained = self.folder / "trained"
        before = json.loads((trained / start / "run.json").read_text()) if start else None
        out = trained / name
        self._claim(out, {"settings": settings.to_json(), "clips": _digest(speech), "start": before})
        checkpoint = trained / start / "checkpoint.safetensors" if start else None
        report = self._progress(name)
        with training_group() as group:
            train(settings, objective, sampler, out, group=group, start=checkpoint, report=report)

    def _claim(self, out: Path, card: dict[str, Any]) -> None:
        path, text = out / "run.json", json.dumps(card, indent=1)
        if path.is_file():
            was = json.loads(path.read_text())
            if _lasting(was) != _lasting(json.loads(text)):
                raise ValueError(f"{out} was begun with other settings or audio: delete it, or choose --out.")
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def _progress(self, name: str) -> Report:
        first: list[tuple[int, float]] = []  # step and time of the first step of this call
        said = time.monotonic()

        def report(step: int, steps: int, losses: dict[str, float]) -> None:
            nonlocal said
            now = time.monotonic()
            if not first:
                first.append((step, now))
            if now - said < REPORT_S and step != steps:
                return
            said = now
            a_step = (now - first[0][1]) / max(step - first[0][0], 1)
            self.say(
                f"{name}: step {step} of {steps}, loss {losses['loss']:.4g}, "
                f"{(steps - step) * a_step / 60:.0f} min left"
            )

        return report


def _digest(speech: ClipCache) -> str:
    names = "\n".join(f"{clip.corpus}/{clip.path.name}" for clip in speech.clips)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _lasting(card: dict[str, Any]) -> dict[str, Any]:
    """What must stay. A training at a constant rate may be prolonged, so its epochs may change."""
    settings = dict(card["settings"])
    if settings["constant_rate"]:
        del settings["epochs"]
    return {**card, "settings": settings}
