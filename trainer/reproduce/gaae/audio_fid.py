"""FID by a classifier of audio, beside the one of the judge's logits, which Tables I and II have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from bundle.generator import GeneratorBundle
from trainer.gaae.sound import waveforms
from trainer.metrics import frechet_distance
from trainer.pages.blocks import table
from trainer.reproduce.gaae.audio_classifier import audio_classifier, features
from trainer.reproduce.gaae.classifier import accuracy, answers
from trainer.reproduce.gaae.judge import judge
from trainer.reproduce.gaae.material import TASKS
from trainer.reproduce.gaae.recipes import Training, length_of, rivals
from trainer.reproduce.gaae.scores import generated
from trainer.reproduce.gaae.trainings import GaaeRuns

HEADER = ["", "FID, judge's logits", "FID, audio", "recognised by the judge, %", "by audio, %"]
GENERATE_BATCH = 100

Made = tuple[Tensor, NDArray[np.int64] | None]  # spectrograms and their labels, if they have any


def audio_fid(runs: GaaeRuns) -> str:
    parts = [
        "## FID by a classifier of audio",
        "*Judge*: the classifier of spectrograms, whose logits give the FID of the tables above. *Audio*: a "
        "classifier of 16 kHz waveforms, trained on the same clips "
        "(`trainer/reproduce/gaae/audio_classifier.py`). Its FID is of the 128 numbers before its last "
        "layer. Distances are from real train audio as it was recorded. Spectrograms become sound by Griffin "
        "and Lim's algorithm. The second row is the floor: real test audio, taken through the same "
        "spectrogram and back.",
    ]
    for task in ("digits", "instruments"):
        if not runs.has(task):
            continue
        rows = [_row(name, figures) for name, figures in _figures(runs, task).items()]
        parts += [f"### {task}", table(HEADER, rows)]
    return "\n\n".join(parts)


def _figures(runs: GaaeRuns, task: str) -> dict[str, dict[str, Any]]:
    """By row. Only models that are trained are in it."""
    rows = {
        "Real (test)": runs.figures(f"audio/{task}-real", lambda: _of_recordings(runs, task)),
        "Real (test), there and back": runs.figures(
            f"audio/{task}-there-and-back",
            lambda: _of_spectrograms(runs, task, _real(runs, task)),
        ),
    }
    for title, first in rivals(runs.scale, task, length_of(task)).items():
        if runs.run(first.name).checkpoint.is_file():
            rows[title] = runs.figures(f"audio/{first.name}", _of_model(runs, task, first), first)
    if runs.shipped is not None and task == "digits":
        bundle = GeneratorBundle.load(runs.shipped)
        rows[f"{bundle.id}, shipped"] = runs.figures(
            f"audio/{bundle.id.replace('/', '-')}",
            lambda: _of_spectrograms(runs, task, shipped(bundle, runs, task)),
        )
    return rows


def _of_model(runs: GaaeRuns, task: str, training: Training) -> Callable[[], dict[str, Any]]:
    def compute() -> dict[str, Any]:
        x, y = generated(runs, training, runs.scale.samples)
        return _of_spectrograms(runs, task, (x, y if training.conditional else None))

    return compute


def shipped(bundle: GeneratorBundle, runs: GaaeRuns, task: str) -> Made:
    """Spectrograms of a bundle's generator, of latents from its prior under random labels.

    Raises:
        ValueError: it has other labels than the task, or other spectrograms than the judge reads.
    """
    front, form = runs.front_settings(task).spectrogram, bundle.spectrogram
    if bundle.labels != TASKS[task].labels or form.model_dump() != vars(front):
        raise ValueError(f"{bundle.id} has other labels or spectrograms than the judge of {task}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(bundle.file("generator"), options)
    rng = np.random.default_rng(1)
    y = rng.integers(len(bundle.labels), size=runs.scale.samples)
    x = []
    for labels in np.split(y, range(GENERATE_BATCH, len(y), GENERATE_BATCH)):
        z = rng.normal(bundle.prior.mean, bundle.prior.std, (len(labels), bundle.latent_dim))
        (made,) = session.run(["spectrogram"], {"z": z.astype(np.float32), "label": labels})
        x.append(torch.from_numpy(made))
    return torch.cat(x), y


def _real(runs: GaaeRuns, task: str) -> Made:
    test = runs.spectrograms(task, "test")
    return test.x, test.y


def _of_recordings(runs: GaaeRuns, task: str) -> dict[str, Any]:
    second, y = runs.seconds(task, "test")
    return _measured(runs, task, _real(runs, task)[0], torch.from_numpy(second), y)


def _of_spectrograms(runs: GaaeRuns, task: str, made: Made) -> dict[str, Any]:
    x, y = made
    settings = runs.front_settings(task).spectrogram
    sound = torch.cat([waveforms(part, settings) for part in torch.split(x, GENERATE_BATCH)])
    return _measured(runs, task, x, sound, y)


def _measured(
    runs: GaaeRuns, task: str, x: Tensor, sound: Tensor, y: NDArray[np.int64] | None
) -> dict[str, Any]:
    spectrograms, classifier = judge(runs, task).net, audio_classifier(runs, task)
    logits = answers(spectrograms, x, runs.device)
    of_train = answers(spectrograms, runs.spectrograms(task, "train").x, runs.device)
    recorded = torch.from_numpy(runs.seconds(task, "train")[0])
    penultimate = [features(classifier, part, runs.device) for part in (recorded, sound)]
    return {
        "fid": frechet_distance(of_train.numpy(), logits.numpy()),
        "fid_audio": frechet_distance(*penultimate),
        "recognised": None if y is None else accuracy(logits, y),
        "recognised_audio": None if y is None else accuracy(answers(classifier, sound, runs.device), y),
    }


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    shares = (figures["recognised"], figures["recognised_audio"])
    said = ["–" if share is None else f"{share:.1f}" for share in shares]
    return [name, f"{figures['fid']:.2f}", f"{figures['fid_audio']:.2f}", *said]


def newest_generator(models: Path = Path("models/gaae")) -> Path | None:
    """The bundle folder of the highest version, if there is one."""
    bundles = [path.parent for path in models.glob("*/bundle.json")]
    return max(bundles, key=lambda path: [int(part) for part in path.name.split(".")], default=None)
