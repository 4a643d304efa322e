"""Which factors do VAEs disentangle on SynTone? → docs/results/syntone.md, Table 1 and Figs 1–12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.reproduce.syntone.figures import Drawings
from trainer.reproduce.syntone.theorem import theorem_text
from trainer.reproduce.syntone.trainings import SynToneRuns
from trainer.syntone.dataset import FACTORS
from trainer.syntone.measure import CodeMeasures, mean_and_std

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

COLUMNS = ["active codes, run by run", "variance explained", "of clips trained on"]

PARTS = ("table1", "theorem")

Results = Mapping[str, Sequence[CodeMeasures]]  # a model's runs


def reproduce_syntone(runs: SynToneRuns, page: Path, repeats: int, only: Sequence[str] = ()) -> None:
    """Trains each model `repeats` times and writes the page and, beside it, its pictures.

    The page is written anew after each run of all models: an interrupted command leaves a whole page.

    Args:
        only: names of `PARTS`; none is all of them. `theorem` trains Autodecompose alone.

    Raises:
        DataError: the folder was begun with other settings.
        ValueError: no such part.
    """
    unknown = set(only) - set(PARTS)
    if unknown:
        raise ValueError(f"No part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    if "table1" in only or not only:
        _write_table1(runs, page, repeats)
    if "theorem" in only or not only:
        write_block(page, "reproduce syntone theorem", theorem_text(runs, repeats))


def _write_table1(runs: SynToneRuns, page: Path, repeats: int) -> None:
    results: dict[str, list[CodeMeasures]] = {name: [] for name in NAMES}
    for run in range(repeats):
        for name, measured in results.items():
            measured.append(runs.measures(name, run))
        write_block(page, "reproduce syntone", _text(runs, results, page.stem))
    drawings = Drawings(page.with_suffix(""), runs.material)
    for name in NAMES:
        runs.say(f"drawing {name}")
        with torch.no_grad():
            drawings.draw(name, NAMES[name], runs.model(name, 0))
    drawings.draw_told({NAMES[name]: measured[0].told for name, measured in results.items()})


def _text(runs: SynToneRuns, results: Results, folder: str) -> str:
    scores = []
    for name, measured in results.items():
        if name in PAPER:
            scores.append([f"{NAMES[name]}, paper (order swapped)", *PAPER[name], "–", "–", "–"])
        cells = [mean_and_std([m.scores[key] for m in measured]) for key in SCORES]
        active = " ".join(str(m.scores["active"]) for m in measured)
        explained = mean_and_std([m.explained for m in measured])
        of_trained = mean_and_std([m.explained_trained for m in measured])
        scores.append([f"**{NAMES[name]}**", *cells, active, explained, of_trained])
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
    settings = {name: runs.settings(name, 0) for name in results}
    hyper = [
        [NAMES[name], *(f"{value:g}" for value in (s.beta, s.gamma, s.noise, s.latents, s.epochs, s.batch))]
        for name, s in settings.items()
    ]
    repeats = len(next(iter(results.values())))
    return "\n\n".join(
        [
            f"{len(runs.grid):,} clips, of which {int(runs.grid.held_out.sum()):,} are held out. "
            f"{repeats} trainings of each model (seeds 0 to {repeats - 1}), "
            f"{settings['vae'].epochs} epochs each. "
            "All figures are of the clips held out: mean ± standard deviation over the trainings. "
            f"Machine: {machine()}.",
            "## Table 1: disentanglement",
            table(
                [
                    "model",
                    *SCORES.values(),
                    "active codes, run by run",
                    "variance explained",
                    "of clips trained on",
                ],
                scores,
            ),
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
                f"![Waveforms and spectra]({folder}/{name}_sound.png)\n\n"
                f"![Traversals]({folder}/{name}_traversal.png)"
                for name in results
            ),
        ]
    )
