"""Test accuracies in percent: of simple classifiers, of GAAE's and GGAN's own, of one on BiGAN's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.gaae.data import read_labelled
from trainer.gaae.objective import Autoencoder
from trainer.reproduce.gaae.baselines import FeatureNetwork, GuidedNetworks
from trainer.reproduce.gaae.classifier import accuracy, answers, train_classifier, train_on_features
from trainer.reproduce.gaae.material import TASKS, LabelledSpectrograms
from trainer.reproduce.gaae.paper import Cell
from trainer.reproduce.gaae.recipes import Training, all_runs
from trainer.reproduce.gaae.trainings import GaaeRuns

Material = list[tuple[Tensor, NDArray[np.int64]]]  # spectrograms and their classes, to be put together


def labelled(runs: GaaeRuns, task: str, share: float, run: int) -> LabelledSpectrograms:
    """The train seconds that keep their labels: the same as in a run of GAAE with that share."""
    training = Training("gaae", task, share, "short", run=run)
    pairs = read_labelled(runs.guidance(training), runs.settings(training).seed)
    return runs.spectrograms(task, "train").of({clip.path for clip, _ in pairs})


def of_share(runs: GaaeRuns, task: str, share: float) -> Cell:
    """The supervised CNN of Tables VII and VIII. With all labels it is "Train data" of Tables IV and V."""

    def material(run: int) -> Material:
        known = labelled(runs, task, share, run)
        return [(known.x, known.y)]

    return of_material(runs, task, f"{share:g}", material)


def of_material(
    runs: GaaeRuns,
    task: str,
    name: str,
    material: Callable[[int], Material],
    generator: Training | None = None,
) -> Cell:
    """A simple classifier that learns what `material` gives for a run.

    Args:
        name: of the rows.
        generator: first run of the training that made the material, if one did.
    """

    def compute(run: int) -> float:
        parts = material(run)
        x, y = torch.cat([x for x, _ in parts]), np.concatenate([y for _, y in parts])
        net = train_classifier(x, y, len(TASKS[task].labels), runs.scale, run, runs.device)
        test = runs.spectrograms(task, "test")
        return accuracy(answers(net, test.x, runs.device), test.y)

    return _mean(
        [
            _row(runs, f"{task}-cnn-{name}-{run}", partial(compute, run), generator and generator.at(run))
            for run in range(runs.scale.runs)
        ]
    )


def of_model(runs: GaaeRuns, first: Training) -> Cell:
    """C of GAAE or GGAN."""

    def compute(training: Training) -> float:
        networks, test = runs.networks(training).to(runs.device), runs.spectrograms(training.task, "test")
        return accuracy(answers(_classify(networks), test.x, runs.device), test.y)

    return _mean(
        [
            _row(runs, training.name, partial(compute, training), training)
            for training in all_runs(runs.scale, first)
        ]
    )


def _classify(networks: nn.Module) -> Callable[[Tensor], Tensor]:
    if isinstance(networks, Autoencoder):
        return lambda x: networks.C(networks.E(x)[0])
    assert isinstance(networks, GuidedNetworks)
    return lambda x: networks.C(networks.E(x))


def of_features(runs: GaaeRuns, first: Training, share: float) -> Cell:
    """A classifier on the features of a BiGAN, which stay as they are."""

    def compute(training: Training) -> float:
        network = runs.networks(training).to(runs.device)
        assert isinstance(network, FeatureNetwork)
        known = labelled(runs, training.task, share, training.run)
        test = runs.spectrograms(training.task, "test")
        x, of_test = (answers(network, part.x, runs.device) for part in (known, test))
        centre, spread = x.mean(dim=0), x.std(dim=0, correction=0) + 1e-3
        classes, steps = len(TASKS[training.task].labels), runs.scale.classifier_steps
        net = train_on_features((x - centre) / spread, known.y, classes, steps, training.run)
        return accuracy(answers(net, (of_test - centre) / spread, torch.device("cpu")), test.y)

    return _mean(
        [
            _row(runs, f"{training.name}-{share:g}", partial(compute, training), training)
            for training in all_runs(runs.scale, first)
        ]
    )


def _row(runs: GaaeRuns, name: str, compute: Callable[[], float], of: Training | None) -> float:
    figures = runs.figures(f"accuracy/{name}", lambda: {"accuracy": compute()}, of)
    return float(figures["accuracy"])


def _mean(values: Sequence[float]) -> Cell:
    """Mean and standard deviation over runs; None for the deviation of a single run."""
    return float(np.mean(values)), float(np.std(values)) if len(values) > 1 else None
