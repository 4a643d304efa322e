"""Fig. 7: four encoders × four decoders on ten speakers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import PRESETS
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.features import pooled_encoder
from trainer.reproduce.autodecompose.measures import voice_figures
from trainer.reproduce.autodecompose.trainings import SHOT_S, AutodecomposeRuns
from trainer.scoring.embedding import CropEncoder


def fig7(runs: AutodecomposeRuns) -> str:
    networks = runs.scale.fig7_networks
    grid = {(e, d): _row(runs, e, d) for e in networks for d in networks}
    header = ["encoder ↓ decoder →", *networks, "untrained"]
    rows = [[e, *(_cell(grid[e, d]) for d in networks), _cell(_untrained(runs, e))] for e in networks]
    mel = _floor(runs, "mel", lambda: pooled_encoder(runs.untrained(), "mel"))
    best = max(grid, key=lambda names: grid[names]["E_s"]["few_shot"]["10"]["f1"])
    epochs = max(row["epochs"] for row in grid.values())
    return "\n\n".join(
        [
            "## Fig. 7: architectures",
            f"Plain objective, 10 speakers of speechocean762 train, {epochs} epochs (paper: 50). Cells are "
            "macro F1 in % from 10 s a speaker, of E_s / of E_c. The paper prints a picture without "
            "numbers. There large with large is best, and the simple networks are close.",
            table(header, rows),
            f"Best here: encoder {best[0]}, decoder {best[1]}. No network, the mel features alone: "
            f"{mel['few_shot']['10']['f1']:.1f} ± {mel['few_shot']['10']['std']:.1f}.",
        ]
    )


def _row(runs: AutodecomposeRuns, encoder: str, decoder: str) -> dict[str, Any]:
    def compute() -> dict[str, Any]:
        settings = replace(PRESETS["paper"], encoder=encoder, decoder=decoder)
        clips = runs.clips("ten")
        model = runs.autodecompose(f"fig7-{encoder}-{decoder}", settings, clips, runs.scale.fig7)
        figures: dict[str, Any] = {"epochs": model.settings.epochs}
        for which in ("E_s", "E_c"):
            encode = pooled_encoder(model, which)
            figures[which] = voice_figures(
                clips, encode, draws=runs.scale.draws, standardise=True, seconds=(SHOT_S,)
            )
        return figures

    return runs.figures(f"fig7/{encoder}-{decoder}", compute)


def _untrained(runs: AutodecomposeRuns, encoder: str) -> dict[str, Any]:
    torch.manual_seed(0)
    model = Objective(replace(PRESETS["paper"], encoder=encoder, decoder=encoder))
    return {
        which: _floor(runs, f"untrained-{encoder}-{which}", partial(pooled_encoder, model, which))
        for which in ("E_s", "E_c")
    }


def _floor(runs: AutodecomposeRuns, name: str, encoder: Callable[[], CropEncoder]) -> dict[str, Any]:
    return runs.figures(
        f"fig7/{name}",
        lambda: voice_figures(
            runs.clips("ten"), encoder(), draws=runs.scale.draws, standardise=True, seconds=(SHOT_S,)
        ),
    )


def _cell(row: dict[str, Any]) -> str:
    voice, content = (row[which]["few_shot"]["10"] for which in ("E_s", "E_c"))
    return f"{voice['f1']:.1f} ± {voice['std']:.1f} / {content['f1']:.1f}"
