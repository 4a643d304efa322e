"""Fig. 3: correlation before and after training. Figs 4 and 5: accuracy of variants over repeated runs."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from bundle.arrays import Float64
from trainer.audio.cache import build_cache
from trainer.audio.folders import read_noise
from trainer.barlow_twins.objective import BarlowTwins
from trainer.downstream.tasks import TASKS
from trainer.reproduce.barlow_twins.plan import NOISE, Plan
from trainer.reproduce.barlow_twins.table2 import SUPERVISED, probe_accuracies, reader, supervised_accuracy
from trainer.reproduce.barlow_twins.trainings import model, short_model, untrained
from trainer.training.batches import PairSampler

FIG3_CORPUS = "librispeech"
#: In the paper's order; the last is no variant of the objective.
BASE_MODELS = {
    "original": "Original BT",
    "ln": "MBT w/LN",
    "bn_ln": "MBT w/BN/LN",
    "bn": "MBT w/BN",
    SUPERVISED: "Supervised",
}

#: Accuracies in percent, one a run, by task and base model.
Boxes = dict[str, dict[str, list[float]]]


def measure_fig3(plan: Plan) -> dict[str, Float64]:
    """Cross-correlation (latent, latent) of a batch of test crops `before` and `after` training."""
    settings, get = model(plan, FIG3_CORPUS)
    figures = plan.figures(
        "fig3",
        {"settings": settings.to_json()},
        lambda: {"before": _correlation(plan, untrained(settings)), "after": _correlation(plan, get())},
    )
    return {name: np.array(C) for name, C in figures.items()}


def _correlation(plan: Plan, objective: BarlowTwins) -> list[list[float]]:
    noise = build_cache(read_noise(plan.data / NOISE, "test"), plan.cache, warn=plan.say)
    batch = PairSampler(plan.clips(FIG3_CORPUS, "test"), noise, objective.settings.batch, seed=0).at(0)
    objective.train()  # batch norm by the batch's own mean and deviation, as in the loss
    with torch.no_grad():
        C = objective.correlation(batch, torch.Generator().manual_seed(0))
    rows: list[list[float]] = C.numpy().round(3).tolist()
    return rows


def measure_figs45(plan: Plan) -> Boxes:
    """Accuracy with all labels of each base model, trained anew with each seed."""
    boxes: Boxes = {}
    for name in TASKS:
        task = reader(plan, name)
        boxes[name] = {}
        for base in BASE_MODELS:
            accuracies = []
            for seed in range(plan.repeats):
                if base == SUPERVISED:
                    accuracies.append(supervised_accuracy(plan, task, name, 100, seed))
                    continue
                settings, get = short_model(plan, normalise=base, seed=seed)
                figures = plan.figures(
                    f"variants/{name}-{base}-seed-{seed}",
                    {"settings": settings.to_json()},
                    partial(probe_accuracies, get, task, {"100": 1}),
                )
                accuracies += figures["100"]
            boxes[name][base] = accuracies
    return boxes
