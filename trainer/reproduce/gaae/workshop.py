"""Trained models and finished rows, kept in a folder: a command that was stopped goes on there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from bundle.arrays import Float32
from trainer.audio.cache import build_cache
from trainer.audio.folders import DataError, read_folder
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.data import Guidance
from trainer.gaae.networks import Decoder
from trainer.gaae.run import TrainedGaae, make_sampler, train_gaae
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.sheet import standing_statistics
from trainer.gaae.train import iterations_left, train
from trainer.pages.kept import kept
from trainer.reproduce.gaae.baselines import GGAN, BiGAN, BigGAN
from trainer.reproduce.gaae.material import TASKS, Heard, Task, hear, write_subset
from trainer.reproduce.gaae.recipes import LABELLED, Training, settings_of
from trainer.reproduce.gaae.scale import Scale
from trainer.training.checkpoint import load_checkpoint
from trainer.training.loop import Report
from trainer.training.run_folder import RunFolder

REPORT_S = 30.0  # between two lines of progress


@dataclass(frozen=True)
class Workshop:
    """What every part works with.

    Attributes:
        corpora: folder of `data` that each task is made from.
        folder: holds `trained/<name>/`, run folders (those of GAAE can be exported), `rows/<name>.json`,
            finished figures, `corpora/`, lists of clips, and `cache/`, decoded audio.
        of_train: by task, what its judge says of real train audio: every FID asks for it.
    """

    data: Path
    corpora: dict[str, str]
    folder: Path
    scale: Scale
    console: Console
    _heard: dict[tuple[str, str], Heard] = field(default_factory=dict, repr=False)
    of_train: dict[str, Float32] = field(default_factory=dict, repr=False)

    def say(self, text: str) -> None:
        self.console.print(text)

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def has(self, task: str) -> bool:
        """Is there a corpus of the task?"""
        return self._source(TASKS[task]).is_dir()

    def _source(self, task: Task) -> Path:
        return self.data / self.corpora[task.corpus or task.name]

    def row(
        self, name: str, compute: Callable[[], dict[str, Any]], of: Training | None = None
    ) -> dict[str, Any]:
        """Figures from rows/<name>.json, computed where there are none yet, or only some made otherwise.

        Args:
            of: the training they are about, if any.
        """
        made_with = {
            "measured": self.scale.measured(),
            "settings": self.scale.settings().to_json() if of is None else self.settings(of).to_json(),
            "corpora": self.corpora,
        }
        figures: dict[str, Any] = kept(self.folder / "rows" / f"{name}.json", made_with, compute, self.say)
        return figures

    def corpus(self, task: Task) -> Path:
        """The task's clips as a folder.

        Raises:
            DataError: see `write_subset`.
        """
        source = self._source(task)
        if not source.is_dir():
            raise DataError(f"{source} is not there: `python -m trainer data --help` says how to make it.")
        out = self.folder / "corpora" / f"{task.name}-{source.name}"
        write_subset(task, source, out)
        return out

    def heard(self, task_name: str, split: str) -> Heard:
        """Real audio of a task."""
        key = task_name, split
        if key not in self._heard:
            task = TASKS[task_name]
            clips = read_folder(self.corpus(task), split)
            cache = build_cache(clips, self.folder / "cache", warn=self.say)
            self._heard[key] = hear(task, cache, self.front_settings(task_name).spectrogram)
        return self._heard[key]

    def guidance(self, one: Training) -> Guidance:
        """What a training learns from: clips of the classes alone, as in the paper's S09."""
        task = TASKS[one.task]
        labelled = self.corpus(task).resolve()
        unlabelled = [labelled]
        if one.task == "gender":
            unlabelled.append(self.corpus(TASKS["digits"]).resolve())
        return Guidance(labelled, task.column, task.labels, one.share, tuple(unlabelled), second=task.second)

    def front_settings(self, task: str) -> GaaeSettings:
        """Whose spectrogram every network of a task reads."""
        return self.settings(Training("gaae", task, LABELLED, "short"))

    def settings(self, one: Training) -> GaaeSettings:
        return settings_of(self.scale, one, TASKS[one.task].r)

    def networks(self, one: Training) -> nn.Module:
        """A model's averaged networks, in evaluation mode on the CPU; trained where that is not done yet.

        Raises:
            ValueError: its run folder was begun with other settings or other audio.
        """
        out = self.folder / "trained" / one.name
        settings, guidance = self.settings(one), self.guidance(one)
        if one.model == "gaae":
            train_gaae(settings, guidance, out, self.folder / "cache", self.console)
            return TrainedGaae.load(out).networks
        left = _claim(out, settings, guidance)
        torch.manual_seed(settings.seed)
        model = self._untrained(one, settings, len(guidance.labels))
        if not left:
            finished: nn.Module = model.edc
            load_checkpoint(RunFolder(out).checkpoint, {"average": finished})
            return finished.eval()
        sampler = make_sampler(settings, guidance, self.folder / "cache", self.console)
        trained: nn.Module = train(model, sampler, out, self.device, report=self._progress(one.name))
        return trained

    def _untrained(self, one: Training, settings: GaaeSettings, classes: int) -> Adversarial[Any]:
        if one.parent is not None:
            generator = self.decoder(one.parent)
            torch.manual_seed(settings.seed)  # the same start, whether or not the generator was to be trained
            return BiGAN(settings, classes, generator)
        if one.model == "ggan":
            return GGAN(settings, classes)
        return BigGAN(settings, classes, supervised=one.model == "supervised")

    def decoder(self, one: Training) -> Decoder:
        """What generates: z, y → spectrogram, with batch statistics of its own samples, on the device."""
        networks = self.networks(one)
        decoder = networks if isinstance(networks, Decoder) else networks.D
        assert isinstance(decoder, Decoder)
        classes = len(TASKS[one.task].labels)
        return standing_statistics(decoder.to(self.device), self.scale.settings().latent_dim, classes)

    def _progress(self, name: str) -> Report:
        said = time.monotonic()

        def report(step: int, steps: int, losses: dict[str, float]) -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= REPORT_S or step == steps:
                said = now
                text = ", ".join(f"{key} {value:.3g}" for key, value in losses.items())
                self.say(f"{name}: iteration {step} of {steps}, {text}")

        return report


def _claim(out: Path, settings: GaaeSettings, guidance: Guidance) -> int:
    """Writes run.json, and says how many iterations are left. A training may go on longer than was asked.

    Raises:
        ValueError: it was begun with other settings or audio, or has more iterations.
    """
    left = iterations_left(out, settings.iterations)
    path = RunFolder(out).card
    text = json.dumps({"settings": settings.to_json(), "guidance": guidance.to_json()}, indent=1)
    if path.is_file():
        was, now = json.loads(path.read_text()), json.loads(text)
        for one in (was, now):
            for name in ("iterations", "checkpoint_steps"):
                del one["settings"][name]
        if was != now:
            raise ValueError(f"{out} was begun with other settings or audio: delete it, or choose --out.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    return left
