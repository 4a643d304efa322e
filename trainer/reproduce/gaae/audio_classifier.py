"""A classifier of waveforms; the features before its last layer give a second FID."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.reproduce.gaae.classifier import answers
from trainer.reproduce.gaae.material import TASKS
from trainer.reproduce.gaae.scale import GaaeScale
from trainer.reproduce.gaae.trainings import GaaeRuns
from trainer.training.checkpoint import load_checkpoint, read_settings, save_checkpoint

WIDTHS = (32, 64, 128, 128)
FRONTEND = "relative"  # hears no level
SCALE = 5.0  # of its features, to about [−1, 1]
SHIFT = 1600  # samples either way
NOISE_DB = (10.0, 40.0)  # below the clip


class AudioClassifier(nn.Module):
    """(n, 16000) at 16 kHz → logits (n, classes): mel features, four convolutions, a mean over places."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.front = LogMel(FRONTENDS[FRONTEND])
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((1, *WIDTHS)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers)
        self.last = nn.Linear(WIDTHS[-1], classes)

    def features(self, waveforms: Tensor) -> Tensor:
        """The penultimate layer: (n, 16000) → (n, 128)."""
        second = F.pad(waveforms, (0, CROP_SAMPLES - waveforms.shape[1]))
        with torch.no_grad():
            mel = SCALE * self.front(second)  # (n, frames, bands)
        places: Tensor = self.convolutions(mel[:, None])  # (n, 128, 4, 5)
        return places.mean(dim=(2, 3))

    def forward(self, waveforms: Tensor) -> Tensor:
        logits: Tensor = self.last(self.features(waveforms))
        return logits


def audio_classifier(runs: GaaeRuns, task: str) -> AudioClassifier:
    """The classifier of a task, on the device; trained on all of train where there is none of this making."""
    path, labels, scale = runs.run(f"{task}-audio").checkpoint, TASKS[task].labels, runs.scale
    card = {
        "labels": list(labels),
        "corpus": runs.corpora[task],
        "widths": list(WIDTHS),
        "training": [scale.classifier_steps, scale.classifier_batch, scale.classifier_rate],
    }
    net = AudioClassifier(len(labels))
    if not path.is_file() or read_settings(path) != json.loads(json.dumps(card)):
        seconds, y = runs.seconds(task, "train")
        net = train_audio_classifier(seconds, y, len(labels), scale, runs.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, {"classifier": net}, None, scale.classifier_steps, card)
        runs.say(f"{path.parent.name}: trained")
    load_checkpoint(path, {"classifier": net})
    return net.eval().to(runs.device)


def train_audio_classifier(
    seconds: Float32, y: NDArray[np.int64], classes: int, scale: GaaeScale, device: torch.device
) -> AudioClassifier:
    """Learns seconds (n, 16000), shifted and with noise; as often of every class."""
    torch.manual_seed(0)
    net = AudioClassifier(classes).to(device).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=2 * scale.classifier_rate)  # batch norm bears more
    generator = torch.Generator().manual_seed(0)
    labels = torch.from_numpy(y)
    weights = 1.0 / torch.bincount(labels, minlength=classes).clamp(min=1).double()[labels]
    for _ in range(scale.classifier_steps):
        chosen = torch.multinomial(weights, scale.classifier_batch, replacement=True, generator=generator)
        logits = net(_varied(torch.from_numpy(seconds[chosen.numpy()]), generator).to(device))
        loss = F.cross_entropy(logits, labels[chosen].to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


def features(net: AudioClassifier, seconds: Tensor, device: torch.device) -> Float32:
    """The penultimate layer of seconds (n, 16000), on the processor: (n, 128)."""
    penultimate: Float32 = answers(net.features, seconds, device).numpy()
    return penultimate


def _varied(waveforms: Tensor, generator: torch.Generator) -> Tensor:
    """Each second turned round by a tenth of it at most, and with white noise."""
    shifts = torch.randint(-SHIFT, SHIFT + 1, (len(waveforms),), generator=generator)
    moved = torch.stack([x.roll(int(n)) for x, n in zip(waveforms, shifts, strict=True)])
    low, high = NOISE_DB
    below_db = low + (high - low) * torch.rand(len(moved), 1, generator=generator)
    level = moved.std(dim=1, keepdim=True) * 10 ** (-below_db / 20)
    return moved + level * torch.randn(moved.shape, generator=generator)
