"""The trained models and figures of the GAAE paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bundle.arrays import Float32
from trainer.audio.folders import DataError, read_folder
from trainer.gaae.adversarial import Adversarial
from trainer.gaae.data import Guidance
from trainer.gaae.networks import Decoder
from trainer.gaae.run import TrainedGaae, make_sampler, train_gaae
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.sheet import standing_statistics
from trainer.gaae.train import iterations_left, train
from trainer.reproduce.gaae.baselines import GGAN, BiGAN, BigGAN
from trainer.reproduce.gaae.material import (
    TASKS,
    GuidedTask,
    LabelledSpectrograms,
    classes_of,
    read_seconds,
    read_spectrograms,
    write_subset,
)
from trainer.reproduce.gaae.recipes import LABELLED, Training, settings_of
from trainer.reproduce.gaae.scale import GaaeScale
from trainer.reproduce.runs import Card, PaperRuns
from trainer.training.checkpoint import load_checkpoint


@dataclass(frozen=True, kw_only=True)
class GaaeRuns(PaperRuns):
    """What every part of the page works with. Run folders of GAAE can be exported.

    Attributes:
        data: folder of the corpora.
        corpora: by task, the folder of `data` that its clips are from.
        scale: how much is trained and measured.
        shipped: the generator's bundle, measured beside the models of Table I.
        train_logits: by task, the judge's logits of real train audio, which every FID needs.
    """

    data: Path
    corpora: dict[str, str]
    scale: GaaeScale
    shipped: Path | None = None
    train_logits: dict[str, Float32] = field(default_factory=dict, repr=False)
    _spectrograms: dict[tuple[str, str], LabelledSpectrograms] = field(default_factory=dict, repr=False)

    def has(self, task: str) -> bool:
        """Is there a corpus of the task?"""
        return self._source(TASKS[task]).is_dir()

    def _source(self, task: GuidedTask) -> Path:
        return self.data / self.corpora[task.corpus or task.name]

    def figures(
        self, name: str, compute: Callable[[], dict[str, Any]], of: Training | None = None
    ) -> dict[str, Any]:
        """Stored figures; computed if there are none, or if they were made with other settings or corpora.

        Args:
            of: the training they are about, if any.
        """
        made_with = {
            "measured": self.scale.measured(),
            "settings": self.scale.settings().to_json() if of is None else self.settings(of).to_json(),
            "corpora": self.corpora,
        }
        figures: dict[str, Any] = self.stored(name, made_with, compute)
        return figures

    def corpus(self, task: GuidedTask) -> Path:
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

    def spectrograms(self, task_name: str, split: str) -> LabelledSpectrograms:
        """Real audio of a task, as its networks read it."""
        key = task_name, split
        if key not in self._spectrograms:
            task = TASKS[task_name]
            audio = self.cache(read_folder(self.corpus(task), split))
            self._spectrograms[key] = read_spectrograms(
                task, audio, self.front_settings(task_name).spectrogram
            )
        return self._spectrograms[key]

    def seconds(self, task_name: str, split: str) -> tuple[Float32, NDArray[np.int64]]:
        """The same audio as it was recorded (seconds, 16000), and the classes (seconds,)."""
        task = TASKS[task_name]
        seconds, clips = read_seconds(task, self.cache(read_folder(self.corpus(task), split)))
        return seconds, classes_of(task, clips)

    def guidance(self, training: Training) -> Guidance:
        """What a training learns from: clips of the classes alone, as in the paper's S09."""
        task = TASKS[training.task]
        labelled = self.corpus(task).resolve()
        unlabelled = [labelled]
        if training.task == "gender":
            unlabelled.append(self.corpus(TASKS["digits"]).resolve())
        return Guidance(
            labelled, task.column, task.labels, training.share, tuple(unlabelled), second=task.second
        )

    def front_settings(self, task: str) -> GaaeSettings:
        """The settings whose spectrogram every network of a task reads."""
        return self.settings(Training("gaae", task, LABELLED, "short"))

    def settings(self, training: Training) -> GaaeSettings:
        return settings_of(self.scale, training, TASKS[training.task].r)

    def networks(self, training: Training) -> nn.Module:
        """A model's averaged networks, in evaluation mode on the CPU; trained if they are not yet.

        Raises:
            ValueError: its run folder was begun with other settings or other audio.
        """
        run = self.run(training.name)
        settings, guidance = self.settings(training), self.guidance(training)
        if training.model == "gaae":
            train_gaae(settings, guidance, run.path, self.cache_folder, self.console)
            return TrainedGaae.load(run.path).networks
        left = iterations_left(run.path, settings.iterations)
        card = {"settings": settings.to_json(), "guidance": guidance.to_json()}
        self.begin(training.name, card, _lasting)
        torch.manual_seed(settings.seed)
        model = self._untrained(training, settings, len(guidance.labels))
        if not left:
            finished: nn.Module = model.edc
            load_checkpoint(run.checkpoint, {"average": finished})
            return finished.eval()
        sampler = make_sampler(settings, guidance, self.cache_folder, self.console)
        report = self.progress(training.name)
        trained: nn.Module = train(model, sampler, run.path, self.device, report=report)
        return trained

    def _untrained(self, training: Training, settings: GaaeSettings, classes: int) -> Adversarial[Any]:
        if training.parent is not None:
            generator = self.decoder(training.parent)
            torch.manual_seed(
                settings.seed
            )  # the same start, whether the generator was just trained or loaded
            return BiGAN(settings, classes, generator)
        if training.model == "ggan":
            return GGAN(settings, classes)
        return BigGAN(settings, classes, supervised=training.model == "supervised")

    def decoder(self, training: Training) -> Decoder:
        """The generator, on the device: z, y → spectrogram, with batch statistics of its own samples."""
        networks = self.networks(training)
        decoder = networks if isinstance(networks, Decoder) else networks.D
        assert isinstance(decoder, Decoder)
        classes = len(TASKS[training.task].labels)
        return standing_statistics(decoder.to(self.device), self.scale.settings().latent_dim, classes)


def _lasting(card: Card) -> Card:
    """All but the length, as rates are constant, and but for what changes no number."""
    # Read anew: a card of before a setting existed has its default.
    settings = GaaeSettings.from_json(card["settings"]).to_json()
    for name in ("iterations", "checkpoint_steps", "recompute"):
        del settings[name]
    return {**card, "settings": settings}
