"""Figures → the blocks of docs/results/barlow_twins.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Float64
from trainer.machine import machine
from trainer.pages.blocks import table
from trainer.reproduce.barlow_twins import paper
from trainer.reproduce.barlow_twins.figures import BASE_MODELS, FIG3_CORPUS, Boxes
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.table2 import CONVERGED, SUPERVISED, Table2
from trainer.reproduce.barlow_twins.table3 import Table3
from trainer.reproduce.barlow_twins.trainings import UNTRAINED, UPSTREAM, model

MEASURES = {"mig": "MIG", "sap": "SAP", "dcimig": "DCIMIG", "jemmig": "JEMMIG", "modularity": "modularity"}
#: Classes of `trainer.downstream.tasks`.
CLASSES = {"speaker": "63", "gender": "2", "keyword": "40", "emotion": "6"}


def settings_text(plan: Plan) -> str:
    s = plan.settings
    long = [f"{name} (train speakers), {model(plan, name)[0].epochs} epochs" for name in UPSTREAM]
    rows = [
        ["backbone", f"ResNet-{s.depth}, first stage {s.width} channels wide", "ResNet-50, 64 wide"],
        ["latent", f"{s.latent}", "2048"],
        ["projector", f"two hidden layers, {s.projector_width} wide", "not given"],
        ["upstream", "; ".join(long), "LibriSpeech-100, LibriSpeech-360, VoxCeleb-1, 50 epochs each"],
        ["batch", f"{s.batch}", "64"],
        [
            "trainings by latent size and variant",
            f"{plan.sweep_corpus}, epochs: {plan.sweep_epochs}",
            "50 epochs",
        ],
        ["trainings a box", f"{plan.repeats}", "50"],
        ["steps of a supervised network", f"{plan.supervised_steps}", "not given"],
    ]
    return table(["", "here", "the paper"], rows)


def table2_text(plan: Plan, figures: Table2) -> str:
    columns = {name: name for name in (SUPERVISED, CONVERGED)}
    columns |= {**{name: f"BT, {name}" for name in UPSTREAM}, UNTRAINED: UNTRAINED}
    ours = [
        [task, CLASSES[task], str(share), *(_table2_cell(figures, task, column, share) for column in columns)]
        for task in figures
        for share in plan.shares
    ]
    theirs = [
        [task, f"{paper.CLASSES[task]}", str(share), *(f"{value:.2f}" for value in values)]
        for task, rows in paper.TABLE2.items()
        for share, values in rows.items()
    ]
    return "\n\n".join(
        [
            f"Top-1 accuracy on the test part, %. Ours: the supervised network is trained once a cell, for "
            f"{plan.supervised_steps} steps. *To convergence*: anew with twice the steps until that lowers "
            "the loss of the labelled crops by less than a tenth; the steps are in brackets, with a + where "
            f"{plan.most_supervised_steps} did not suffice. The probes of the frozen backbones draw the "
            f"labelled share {plan.share_draws} times (mean ± deviation). With 100 % there is nothing to "
            f"draw. Machine: {machine()}.",
            table(["task", "classes", "labels, %", *columns.values()], ours),
            "The paper's:",
            table(["task", "classes", "labels, %", *paper.TABLE2_COLUMNS], theirs),
        ]
    )


def _table2_cell(figures: Table2, task: str, column: str, share: int) -> str:
    values = figures[task][column][share]
    if column != CONVERGED:
        return _accuracy(values)
    accuracy, steps, converged = values
    return f"{accuracy:.1f} ({steps:.0f}{'' if converged else '+'})"


def table3_text(plan: Plan, figures: Table3) -> str:
    ours = [
        [f"BT-{name}" if name.isdigit() else name, *_measures(draws), f"{draws[0]['active']:.0f}"]
        for name, draws in figures.items()
    ]
    theirs = [[name, *(f"{value:.3f}" for value in values)] for name, values in paper.TABLE3.items()]
    header = ["model", *MEASURES.values()]
    return "\n\n".join(
        [
            f"Ours: mean ± deviation over {plan.evaluation_draws} random halves of the test speakers' crops. "
            f"BT-n: latent of size n, {plan.sweep_corpus}, epochs: {plan.sweep_epochs}. Then the long "
            f"trainings, latent {plan.settings.latent}. *Noise*: {plan.settings.latent} random codes. They "
            "show what the measures give for so many crops when there is nothing to find.",
            table([*header, "active codes"], ours),
            "The paper's (accent, identity, gender; mean of 50 evaluations):",
            table(header, theirs),
        ]
    )


def fig3_text(plan: Plan, matrices: dict[str, Float64], picture: str) -> str:
    rows = [
        [f"{name} training", *(f"{value:.3f}" for value in _on_and_off_diagonal(C))]
        for name, C in matrices.items()
    ]
    return "\n\n".join(
        [
            f"One batch of {plan.settings.batch} crops of {FIG3_CORPUS} **test** speakers, two views each.",
            f"![Cross-correlation before and after training]({picture})",
            table(["", "mean of C_ii", "mean of abs(C_ij), i ≠ j"], rows),
            f"In a batch of {plan.settings.batch}, unrelated latents have a mean abs(C_ij) of "
            f"{np.sqrt(2 / (np.pi * plan.settings.batch)):.3f}.",
        ]
    )


def figs45_text(plan: Plan, boxes: Boxes, pictures: Sequence[str]) -> str:
    rows = [[BASE_MODELS[base], *(_accuracy(boxes[task][base]) for task in boxes)] for base in BASE_MODELS]
    medians = [[task, text] for task, text in paper.MEDIANS.items()]
    return "\n\n".join(
        [
            f"{plan.repeats} trainings a box, a seed each, with all labels. The variants are trained on "
            f"{plan.sweep_corpus}, epochs: {plan.sweep_epochs}. The supervised network is trained for "
            f"{plan.supervised_steps} steps on the task itself. A point is a training.",
            *(f"![Top-1 accuracy over repeated trainings]({picture})" for picture in pictures),
            "Top-1 accuracy, %, mean ± deviation:",
            table(["base model", *boxes], rows),
            "The paper's medians over 50 runs, %, as its text gives them:",
            table(["task", "medians"], medians),
        ]
    )


def _accuracy(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.1f}"
    return f"{mean} ± {np.std(values):.1f}" if len(values) > 1 else mean


def _measures(draws: Sequence[dict[str, float]]) -> list[str]:
    columns = [[draw[name] for draw in draws] for name in MEASURES]
    return [f"{np.mean(values):.3f} ± {np.std(values):.4f}" for values in columns]


def _on_and_off_diagonal(C: Float64) -> tuple[float, float]:
    others = ~np.eye(len(C), dtype=bool)
    return float(C.diagonal().mean()), float(np.abs(C[others]).mean())
