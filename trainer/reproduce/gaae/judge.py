"""The classifier of real audio that IS, FID and "recognised as its label" use."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from trainer.gaae.networks import SimpleClassifier
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.spectrogram import NormalisedLogSpectrogram, SpectrogramSettings
from trainer.reproduce.gaae.classifier import train_classifier
from trainer.reproduce.gaae.material import TASKS
from trainer.reproduce.gaae.trainings import GaaeRuns
from trainer.training.checkpoint import load_checkpoint, read_settings, save_checkpoint


@dataclass(frozen=True)
class Judge:
    """A trained classifier, its labels in order, and the spectrogram it reads."""

    net: SimpleClassifier
    labels: tuple[str, ...]
    spectrogram: NormalisedLogSpectrogram

    @classmethod
    def load(cls, path: Path) -> Judge:
        """
        Raises:
            FileNotFoundError: no such file.
        """
        card = read_settings(path)
        spectrogram = SpectrogramSettings(**card["spectrogram"])
        net = SimpleClassifier(replace(GaaeSettings(), spectrogram=spectrogram), len(card["labels"]))
        load_checkpoint(path, {"judge": net})
        return cls(net.eval(), tuple(card["labels"]), NormalisedLogSpectrogram(spectrogram))

    @torch.no_grad()
    def of_audio(self, waveforms: Tensor) -> Tensor:
        """(n, 16000) at 16 kHz → logits (n, labels)."""
        logits: Tensor = self.net(self.spectrogram(waveforms))
        return logits


def judge_path(folder: Path, task: str) -> Path:
    """Where a task's judge lies below the folder of a scale."""
    return folder / "trained" / f"{task}-judge" / "checkpoint.safetensors"


def judge(runs: GaaeRuns, task: str) -> Judge:
    """The judge of a task, on the device; trained on all of train where there is none of this making."""
    path, labels, scale = judge_path(runs.folder, task), TASKS[task].labels, runs.scale
    card = {
        "spectrogram": asdict(runs.front_settings(task).spectrogram),
        "labels": list(labels),
        "corpus": runs.corpora[task],
        "training": [scale.classifier_steps, scale.classifier_batch, scale.classifier_rate],
    }
    if not path.is_file() or read_settings(path) != json.loads(json.dumps(card)):
        train = runs.spectrograms(task, "train")
        net = train_classifier(train.x, train.y, len(labels), scale, 0, runs.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, {"judge": net}, None, scale.classifier_steps, card)
        runs.say(f"{path.parent.name}: trained")
    loaded = Judge.load(path)
    loaded.net.to(runs.device)
    return loaded
