"""Autodecompose's Theorem 1 on SynTone: the table of `trainer.syntone.theorem`, over several trainings."""

from __future__ import annotations

from trainer.machine import machine
from trainer.pages.blocks import table
from trainer.reproduce.syntone.trainings import SynToneRuns
from trainer.syntone.measure import mean_and_std
from trainer.syntone.theorem import Known

CHANCE = ["0.250", "0.000", "0.000"]


def theorem_text(runs: SynToneRuns, repeats: int) -> str:
    trained = [runs.theorem(run) for run in range(repeats)]
    untrained = [runs.theorem(run, trained=False) for run in range(repeats)]
    rows = [
        [f"{part}{note}", *_cells(measured, part)]
        for measured, note in ((trained, ""), (untrained, ", untrained"))
        for part in trained[0]
    ]
    settings = runs.settings("autodecompose", 0)
    return "\n\n".join(
        [
            "## Autodecompose's Theorem 1, on factors that are known",
            "*Clip*: the encoder hears the clip itself. *View*: it hears what it hears in training, the clip "
            "in another frequency (E) or in another timbre (E'). Asked is the clip, by its five nearest "
            "neighbours. The theorem wants timbre from E and frequency from E', and neither from the other.",
            table(
                ["encoder", "timbre, accuracy", "amplitude, R²", "frequency, R²"],
                [*rows, ["chance", *CHANCE]],
            ),
            f"{int(runs.grid.held_out.sum()):,} clips that are held out, {repeats} trainings of "
            f"{settings.epochs} epochs, mean ± deviation. Below 0: worse than the mean. "
            f"Machine: {machine()}.",
        ]
    )


def _cells(measured: list[Known], part: str) -> list[str]:
    return [mean_and_std([known[part][column] for known in measured]) for column in range(len(CHANCE))]
