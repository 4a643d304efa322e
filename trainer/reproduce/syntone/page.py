"""Which factors do VAEs disentangle on SynTone? → docs/results/syntone.md, Table 1 and Figs 1–12."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.audio.folders import DataError
from trainer.pages.blocks import table, write_block
from trainer.reproduce.syntone.figures import Figures
from trainer.syntone.dataset import FACTORS, SynTone
from trainer.syntone.features import grid_features
from trainer.syntone.measure import Measures, mean_and_std, measure
from trainer.syntone.objectives import Material, Objective
from trainer.syntone.settings import SETTINGS, SynToneSettings
from trainer.syntone.train import train

NAMES = {
    "vae": "VAE",
    "beta_vae": "β-VAE",
    "factor_vae": "FactorVAE",
    "beta_tcvae": "β-TCVAE",
    "autodecompose": "Autodecompose",
}
#: Table 1 as printed, in the order of `SCORES`.
PAPER = {
    "vae": ["0.280 ± 0.0", "0.045 ± 0.000", "0.005 ± 0.000", "0.300 ± 0.0", "0.651 ± 0.031"],
    "beta_vae": ["0.184 ± 0.0", "0.035 ± 0.000", "0.004 ± 0.000", "0.201 ± 0.0", "0.750 ± 0.022"],
    "factor_vae": ["0.118 ± 0.0", "0.035 ± 0.000", "0.003 ± 0.000", "0.126 ± 0.0", "0.762 ± 0.014"],
    "beta_tcvae": ["0.166 ± 0.0", "0.023 ± 0.000", "0.005 ± 0.000", "0.183 ± 0.0", "0.747 ± 0.016"],
}
SCORES = {"mig": "MIG", "sap": "SAP", "dcimig": "DCIMIG", "jemmig": "JEMMIG", "modularity": "Modularity"}
KNOWN = ["timbre, accuracy", "amplitude, R²", "frequency, R²"]

Say = Callable[[str], None]
Results = Mapping[str, Sequence[Measures]]  # a model's runs


class Workshop:
    """Trains and measures into a folder; what an earlier call left there is not done again."""

    def __init__(self, folder: Path, grid: SynTone, epochs: int | None, say: Say) -> None:
        self.folder, self.grid, self.epochs, self.say = folder, grid, epochs, say

    @cached_property
    def material(self) -> Material:
        self.say(f"features of {len(self.grid)} clips")
        return Material(self.grid, grid_features(self.grid))

    def settings(self, name: str, run: int) -> SynToneSettings:
        settings = replace(SETTINGS[name], seed=run)
        return settings if self.epochs is None else replace(settings, epochs=self.epochs)

    def model(self, name: str, run: int) -> Objective:
        def report(step: int, steps: int, losses: dict[str, float]) -> None:
            if step % 500 == 0 or step == steps:
                said = "  ".join(f"{key} {value:.4g}" for key, value in losses.items())
                self.say(f"{name}, run {run}, step {step} of {steps}: {said}")

        checkpoint = self.folder / f"{name}-{run}" / "checkpoint.safetensors"
        try:
            return train(self.settings(name, run), self.material, checkpoint, report)
        except ValueError as error:
            raise DataError(str(error)) from error

    def measures(self, name: str, run: int) -> Measures:
        """One training's figures.

        Raises:
            DataError: the folder holds figures of other settings.
        """
        path = self.folder / f"{name}-{run}" / "measures.json"
        made_with = {"settings": asdict(self.settings(name, run)), "grid": asdict(self.grid)}
        if path.is_file():
            kept: dict[str, Any] = json.loads(path.read_text())
            if kept["made_with"] != made_with:
                raise DataError(f"{path} has other settings: delete {path.parent}, or choose another --work.")
            return Measures(**kept["measures"])
        measures = measure(self.model(name, run), self.material)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"made_with": made_with, "measures": measures.to_json()}, indent=1))
        partial.replace(path)
        return measures


def reproduce_syntone(
    page: Path, work: Path, say: Say, *, runs: int, epochs: int | None = None, grid: SynTone | None = None
) -> None:
    """Trains each model `runs` times and writes the page and, beside it, its pictures.

    The page is written anew after each run of all models, so that an interrupted command leaves a whole one.

    Args:
        work: gets a folder a model and run; the same command goes on there.
        epochs: in place of the settings'.

    Raises:
        DataError: the work folder was begun with other settings.
    """
    workshop = Workshop(work, grid or SynTone(), epochs, say)
    results: dict[str, list[Measures]] = {name: [] for name in NAMES}
    for run in range(runs):
        for name, measured in results.items():
            measured.append(workshop.measures(name, run))
        write_block(page, "reproduce syntone", _text(workshop, results, page.stem))
    figures = Figures(page.with_suffix(""), workshop.material)
    for name in NAMES:
        say(f"drawing {name}")
        with torch.no_grad():
            figures.draw(name, NAMES[name], workshop.model(name, 0))
    figures.draw_told({NAMES[name]: measured[0].told for name, measured in results.items()})


def _text(workshop: Workshop, results: Results, folder: str) -> str:
    scores = []
    for name, measured in results.items():
        if name in PAPER:
            scores.append([f"{NAMES[name]}, paper (order swapped)", *PAPER[name], "–", "–"])
        cells = [mean_and_std([m.scores[key] for m in measured]) for key in SCORES]
        active = " ".join(str(m.scores["active"]) for m in measured)
        explained = mean_and_std([m.explained for m in measured])
        scores.append([f"**{NAMES[name]}**", *cells, active, explained])
    swapped = [
        [NAMES[name], *(mean_and_std([m.swapped[key] for m in measured]) for key in SCORES)]
        for name, measured in results.items()
    ]
    known = [
        [
            NAMES[name] if part == "all codes" else f"{NAMES[name]}, {part}",
            *(mean_and_std([m.known[part][column] for m in measured]) for column in range(len(KNOWN))),
        ]
        for name, measured in results.items()
        for part in measured[0].known
    ]
    best = {name: np.max([m.told for m in measured], axis=1) for name, measured in results.items()}
    best_rows = [
        [NAMES[name], *(" · ".join(f"{share:.2f}" for share in shares) for shares in runs_by_factor.T)]
        for name, runs_by_factor in best.items()
    ]
    settings = {name: workshop.settings(name, 0) for name in results}
    hyper = [
        [NAMES[name], *(f"{value:g}" for value in (s.beta, s.gamma, s.noise, s.latents, s.epochs, s.batch))]
        for name, s in settings.items()
    ]
    runs = len(next(iter(results.values())))
    return "\n\n".join(
        [
            f"{len(workshop.grid):,} clips, {runs} trainings of each model (seeds 0 to {runs - 1}); "
            "mean ± standard deviation over the trainings.",
            "## Table 1: disentanglement",
            table(["model", *SCORES.values(), "active codes, run by run", "variance explained"], scores),
            "## The same codes with the arguments swapped, as the paper's evaluator has them",
            table(["model", *SCORES.values()], swapped),
            "## What all codes together tell",
            table(["codes", *KNOWN], known),
            "## What the best single code tells of a factor, as a share of its entropy, run by run",
            table(["model", *FACTORS], best_rows),
            "## Settings",
            table(["model", "β", "γ", "noise", "codes", "epochs", "batch"], hyper),
            "## Pictures",
            f"![What each code tells of each factor]({folder}/told.png)",
            *(
                f"### {NAMES[name]}\n\n![Reconstructions and samples]({folder}/{name}.png)\n\n"
                f"![Traversals]({folder}/{name}_traversal.png)"
                for name in results
            ),
        ]
    )
