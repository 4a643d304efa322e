"""Table 2: accuracy on four tasks by share of the labels, of linear probes and of supervised networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.supervised import train_supervised, train_to_convergence
from trainer.downstream.probe import labelled_share, linear_probe
from trainer.downstream.tasks import TASKS, Task, read_task
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.trainings import UNTRAINED, UPSTREAM, model

SUPERVISED = "supervised"
CONVERGED = "supervised, to convergence"

#: Accuracies in percent, one a draw, by task, column (`SUPERVISED` or a model's name) and share of labels.
#: Of `CONVERGED` the steps stand behind, and 0 where these did not suffice or else 1.
Table2 = dict[str, dict[str, dict[int, list[float]]]]


def measure_table2(plan: Plan) -> Table2:
    """Trains and measures what is not stored yet."""
    return {name: _measure_task(plan, name) for name in TASKS}


def _measure_task(plan: Plan, name: str) -> dict[str, dict[int, list[float]]]:
    task = reader(plan, name)
    columns: dict[str, dict[int, list[float]]] = {
        SUPERVISED: {share: [supervised_accuracy(plan, task, name, share, seed=0)] for share in plan.shares},
        CONVERGED: {share: converged_accuracy(plan, task, name, share) for share in plan.shares},
    }
    # With all labels there is nothing to draw.
    draws = {str(share): plan.share_draws if share < 100 else 1 for share in plan.shares}
    for source in (*UPSTREAM, UNTRAINED):
        settings, get = model(plan, source)
        figures = plan.figures(
            f"table2/{name}-{source}",
            {"settings": settings.to_json(), "draws": draws},
            partial(probe_accuracies, get, task, draws),
        )
        columns[source] = {int(share): accuracies for share, accuracies in figures.items()}
    return columns


def reader(plan: Plan, name: str) -> Callable[[], Task]:
    """Reads a task on first use: its crops are hundreds of megabytes."""
    return cache(partial(read_task, name, plan.data, plan.cache))


def probe_accuracies(
    get: Callable[[], BarlowTwins], task: Callable[[], Task], draws: Mapping[str, int]
) -> dict[str, list[float]]:
    """Linear evaluation of a model's frozen backbone: share of the labels, percent → one accuracy a draw."""
    objective, train, test = get(), task().train, task().test
    train_x, test_x = (encode(objective.backbone, part.crops) for part in (train, test))

    def accuracy(share: str, seed: int) -> float:
        rows = labelled_share(train.labels, float(share), seed)
        return linear_probe(train_x[rows], train.labels[rows], test_x, test.labels)

    return {share: [accuracy(share, seed) for seed in range(n)] for share, n in draws.items()}


def supervised_accuracy(plan: Plan, task: Callable[[], Task], name: str, share: int, seed: int) -> float:
    """One supervised training on a share of the labels → top-1 accuracy on the test part, percent."""
    settings = replace(plan.settings, seed=seed)

    def measure() -> float:
        train, test = task().train, task().test
        rows = labelled_share(train.labels, share, seed)
        network = train_supervised(
            settings,
            train.crops[rows],
            train.labels[rows],
            len(task().classes),
            steps=plan.supervised_steps,
            noise=plan.noise_crops(),
        ).network
        predicted = encode(network, test.crops).argmax(axis=1)
        return 100 * float((predicted == test.labels).mean())

    made_with: dict[str, Any] = {"settings": settings.to_json(), "steps": plan.supervised_steps}
    accuracy: float = plan.figures(f"supervised/{name}-{share}-seed-{seed}", made_with, measure)
    return accuracy


def converged_accuracy(plan: Plan, task: Callable[[], Task], name: str, share: int) -> list[float]:
    """As `supervised_accuracy`, of a network that has nothing left to learn: accuracy, steps, 1 if so."""

    def measure() -> list[float]:
        train, test = task().train, task().test
        rows = labelled_share(train.labels, share, 0)
        training = train_to_convergence(
            plan.settings,
            train.crops[rows],
            train.labels[rows],
            len(task().classes),
            steps=plan.supervised_steps,
            most=plan.most_supervised_steps,
            noise=plan.noise_crops(),
        )
        predicted = encode(training.network, test.crops).argmax(axis=1)
        accuracy = 100 * float((predicted == test.labels).mean())
        return [accuracy, float(training.steps), float(training.converged)]

    made_with: dict[str, Any] = {
        "settings": plan.settings.to_json(),
        "steps": [plan.supervised_steps, plan.most_supervised_steps],
    }
    cell: list[float] = plan.figures(f"converged/{name}-{share}", made_with, measure)
    return cell
