"""docs/results/encoder.md: what each experiment brought and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.encoders.content import content_figures
from benchmarks.encoders.voice import conditions, voice_figures
from benchmarks.voice.floors import floor_models
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import VoiceModel
from trainer.machine import machine
from trainer.models import load_objective
from trainer.pages.blocks import table, write_block
from trainer.pages.stored import stored_figures
from trainer.terminal import Say
from trainer.training.run_folder import RunFolder


def encoders_page(runs: Sequence[Path], data: Path, page: Path, stored_in: Path, say: Say) -> None:
    """Measures runs of `trainer pretrain` and writes the page's block, one row a floor and a run.

    Args:
        stored_in: gets the cells of each row: a command that was stopped goes on.

    Raises:
        DataError: a corpus cannot be read.
        FileNotFoundError: a run has no checkpoint.
        ValueError: a run is not of Autodecompose.
    """
    rows = []
    for name, model in floor_models(TrainSettings()).items():
        cells = stored_figures(stored_in / f"{name}.json", {}, partial(_voice, model, data), say)
        rows.append([name, "–", *cells, "–", "–"])
    for path in runs:
        objective, step = load_objective(RunFolder(path))
        if not isinstance(objective, Objective):
            raise ValueError(f"{path} is not a run of autodecompose.")
        made_with = {"step": step, "settings": asdict(objective.settings)}
        cells = stored_figures(
            stored_in / f"{path.name}.json", made_with, partial(_run, objective, data), say
        )
        rows.append([path.name, str(step), *cells])
    header = ["run", "steps", *(f"EER, {name}" for name in conditions(data)), "false accepts, 8 kHz"]
    header += ["speaker F1 of content", "words of content"]
    made = f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks encoders`, on {machine()}."
    write_block(page, "benchmarks encoders", f"{made}\n\n{table(header, rows)}")


def _run(objective: Objective, data: Path) -> list[str]:
    voice = _voice(autodecompose_voice(objective), data)
    if not objective.settings.mse_weight:  # without reconstruction there is no content
        return [*voice, "–", "–"]
    figures = content_figures(objective, data)
    return [*voice, f"{figures.speaker_f1:.1f}", f"{figures.words:.1f}"]


def _voice(model: VoiceModel, data: Path) -> list[str]:
    voice = voice_figures(model, data)
    return [*(f"{value:.2f}" for value in voice.eers.values()), f"{voice.narrow_false_accepts:.1f}"]
