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
from trainer.reproduce.gaae.material import TASKS, Heard
from trainer.reproduce.gaae.paper import Cell
from trainer.reproduce.gaae.recipes import Training, runs
from trainer.reproduce.gaae.workshop import Workshop

Material = list[tuple[Tensor, NDArray[np.int64]]]  # spectrograms and their classes, to be put together


def labelled(shop: Workshop, task: str, share: float, run: int) -> Heard:
    """The train seconds that keep their labels: the same as in a run of GAAE with that share."""
    one = Training("gaae", task, share, "short", run=run)
    pairs = read_labelled(shop.guidance(one), shop.settings(one).seed)
    return shop.heard(task, "train").of({clip.path for clip, _ in pairs})


def of_share(shop: Workshop, task: str, share: float) -> Cell:
    """The supervised CNN of Tables VII and VIII; that of all labels is "Train data" of Tables IV and V."""

    def material(run: int) -> Material:
        known = labelled(shop, task, share, run)
        return [(known.x, known.y)]

    return of_material(shop, task, f"{share:g}", material)


def of_material(
    shop: Workshop,
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
        net = train_classifier(x, y, len(TASKS[task].labels), shop.scale, run, shop.device)
        test = shop.heard(task, "test")
        return accuracy(answers(net, test.x, shop.device), test.y)

    return _mean(
        [
            _row(shop, f"{task}-cnn-{name}-{run}", partial(compute, run), generator and generator.at(run))
            for run in range(shop.scale.runs)
        ]
    )


def of_model(shop: Workshop, first: Training) -> Cell:
    """C of GAAE or GGAN."""

    def compute(one: Training) -> float:
        networks, test = shop.networks(one).to(shop.device), shop.heard(one.task, "test")
        return accuracy(answers(_classify(networks), test.x, shop.device), test.y)

    return _mean([_row(shop, one.name, partial(compute, one), one) for one in runs(shop.scale, first)])


def _classify(networks: nn.Module) -> Callable[[Tensor], Tensor]:
    if isinstance(networks, Autoencoder):
        return lambda x: networks.C(networks.E(x)[0])
    assert isinstance(networks, GuidedNetworks)
    return lambda x: networks.C(networks.E(x))


def of_features(shop: Workshop, first: Training, share: float) -> Cell:
    """A classifier on the features of a BiGAN, which stay as they are."""

    def compute(one: Training) -> float:
        network = shop.networks(one).to(shop.device)
        assert isinstance(network, FeatureNetwork)
        known, test = labelled(shop, one.task, share, one.run), shop.heard(one.task, "test")
        x, of_test = (answers(network, heard.x, shop.device) for heard in (known, test))
        centre, spread = x.mean(dim=0), x.std(dim=0, correction=0) + 1e-3
        classes, steps = len(TASKS[one.task].labels), shop.scale.classifier_steps
        net = train_on_features((x - centre) / spread, known.y, classes, steps, one.run)
        return accuracy(answers(net, (of_test - centre) / spread, torch.device("cpu")), test.y)

    return _mean(
        [_row(shop, f"{one.name}-{share:g}", partial(compute, one), one) for one in runs(shop.scale, first)]
    )


def _row(shop: Workshop, name: str, compute: Callable[[], float], of: Training | None) -> float:
    figures = shop.row(f"accuracy/{name}", lambda: {"accuracy": compute()}, of)
    return float(figures["accuracy"])


def _mean(values: Sequence[float]) -> Cell:
    """And deviation; None for that of a single run."""
    return float(np.mean(values)), float(np.std(values)) if len(values) > 1 else None
