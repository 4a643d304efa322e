"""What each part trains, and for how long, before anybody starts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from trainer.gaae.data import GaaeBatch
from trainer.gaae.objective import GAAE
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.spectrogram import WAVEFORM_SAMPLES
from trainer.gaae.train import make_optimizer, update
from trainer.pages.blocks import table
from trainer.reproduce.flops import Effort, counted, hours_table
from trainer.reproduce.gaae.recipes import (
    LABELLED,
    Training,
    all_runs,
    alpha_sweep,
    by_share,
    choices,
    first_run,
    gender_guided,
    length_of,
    omega_sweep,
    rivals,
    shares,
)
from trainer.reproduce.gaae.scale import GaaeScale
from trainer.reproduce.gaae.tables import GENERATORS

CLASSES = 10  # of the digits
# An iteration beside GAAE's, from the passes of each network in it.
COSTS = {"gaae": 1.0, "ggan": 0.7, "supervised": 0.45, "unsupervised": 0.45, "bigan": 0.45}


@dataclass(frozen=True)
class Work:
    """What a part needs: trainings, every run of them, and simple classifiers by name."""

    trainings: frozenset[Training]
    classifiers: frozenset[str]

    def __sub__(self, other: Work) -> Work:
        return Work(self.trainings - other.trainings, self.classifiers - other.classifiers)

    def __or__(self, other: Work) -> Work:
        return Work(self.trainings | other.trainings, self.classifiers | other.classifiers)

    def hours(self, scale: GaaeScale) -> float:
        """Of training alone, by the scale's clock."""
        seconds = sum(
            COSTS[training.model] * scale.iterations(training.length) * scale.iteration_s
            for training in self.trainings
        )
        steps = len(self.classifiers) * scale.classifier_steps
        return (seconds + steps * scale.classifier_step_s) / 3600


NEEDED = {  # by part, the tasks whose corpora it cannot do without; of the others the digits
    "judges": (),
    "table2": ("instruments",),
    "table5": ("instruments",),
    "table6": ("digits", "gender"),
    "table8": ("instruments",),
}


def missing(part: str, tasks: Sequence[str]) -> list[str]:
    """What a part cannot do without, and is not among `tasks`."""
    return [task for task in NEEDED.get(part, ("digits",)) if task not in tasks]


NOTHING = Work(frozenset(), frozenset())


def work(scale: GaaeScale, part: str, tasks: Sequence[str]) -> Work:
    """What a part needs in all.

    Args:
        tasks: those that there is a corpus of.
    """
    firsts, names = _needs(scale, part, tasks)
    every = {training for first in firsts for training in all_runs(scale, first)}
    every |= {training.parent for training in every if training.parent is not None}
    return Work(frozenset(every), frozenset(names))


def _needs(scale: GaaeScale, part: str, tasks: Sequence[str]) -> tuple[list[Training], set[str]]:
    def cnn(task: str, *learnt: str) -> set[str]:
        return {f"{task}-cnn-{name}-{run}" for name in learnt for run in range(scale.runs)}

    if missing(part, tasks):
        return [], set()
    task = "instruments" if NEEDED.get(part) == ("instruments",) else "digits"
    judged = {f"{task}-judge"}
    models = rivals(scale, task, length_of(task))
    both = [name for name in ("digits", "instruments") if name in tasks]
    shown = [rivals(scale, name, length_of(name))["GAAE"] for name in both]
    match part:
        case "judges":
            return [], {f"{name}-judge" for name in tasks}
        case "table1" | "table2":
            return list(models.values()), judged
        case "table3":
            shared = [training for name in both for training in by_share(scale, "gaae", name).values()]
            return shared + shown, {f"{name}-judge" for name in both}
        case "table4" | "table5":
            learnt = [f"from-{models[name].name}" for name in GENERATORS]
            mixed = f"train-and-{models['GAAE'].name}"
            return [models[name] for name in GENERATORS], cnn(task, f"{LABELLED:g}", *learnt, mixed)
        case "table6":
            digits = list(rivals(scale, "digits", "short").values())
            return [*digits, gender_guided(scale)], {"gender-judge"}
        case "table7" | "table8":
            guided = [
                training for model in ("ggan", "gaae") for training in by_share(scale, model, task).values()
            ]
            known = [f"{share:g}" for share in {*shares(scale, task), scale.share}]
            longest = [models["GGAN"], models["GAAE"]]
            return [first_run(scale, "bigan", task), *guided, *longest], cnn(task, *known)
        case "audio":
            return [], {f"{name}-{kind}" for name in both for kind in ("judge", "audio")}
        case "choices":
            return list(choices(scale).values()), set()
        case "sweeps":
            return [*omega_sweep(scale).values(), *alpha_sweep(scale).values()], judged
        case _:  # pictures
            return shown, set()


def plan(scale: GaaeScale, parts: Iterable[str], tasks: Sequence[str]) -> str:
    """A table of what each part adds to those before it, and the whole."""
    done, rows = NOTHING, []
    for part in parts:
        added = work(scale, part, tasks) - done
        done |= added
        rows.append(_row(part, added, scale))
    rows.append(_row("in all", done, scale))
    return table(["part", "trainings", "iterations", "classifiers", f"{scale.clock} hours"], rows)


def _row(name: str, added: Work, scale: GaaeScale) -> list[str]:
    iterations = sum(scale.iterations(training.length) for training in added.trainings)
    hours = added.hours(scale)
    return [name, f"{len(added.trainings)}", f"{iterations}", f"{len(added.classifiers)}", f"{hours:.1f}"]


def gpu_hours(scale: GaaeScale, parts: Iterable[str], tasks: Sequence[str]) -> str:
    """What the same trainings come to on a GPU, by model."""
    done = NOTHING
    for part in parts:
        done |= work(scale, part, tasks)
    iterations = {
        name: [scale.iterations(training.length) for training in done.trainings if training.model == name]
        for name in COSTS
    }
    flops = iteration_flops(scale.settings())
    return hours_table(
        [
            Effort(name, len(steps), sum(steps), COSTS[name] * flops)
            for name, steps in iterations.items()
            if steps
        ]
    )


def iteration_flops(settings: GaaeSettings) -> int:
    """Of GAAE: k updates of S and L, and one of E, D and C. The spectrograms are counted too."""

    def updates() -> None:
        model = GAAE(settings, CLASSES)
        optimizer, generator = make_optimizer(model), torch.Generator()
        x_u, x_l = (torch.empty(m, WAVEFORM_SAMPLES) for m in (settings.batch, settings.labelled_batch))
        batch = GaaeBatch(x_u, x_l, torch.empty(len(x_l), dtype=torch.long))
        for i in range(settings.k + 1):
            update(model, batch, optimizer, generator, discriminate=i < settings.k)

    with FakeTensorMode():
        return counted(updates)
