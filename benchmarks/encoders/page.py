"""docs/results/encoder.md: what each experiment brought and cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.encoders.content import content_figures
from benchmarks.encoders.voice import VoiceFigures, conditions, voice_figures
from benchmarks.voice.floors import floor_models
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.machine import machine
from trainer.models import load_objective
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say
from trainer.training.run_folder import RunFolder


def encoders_page(runs: Sequence[Path], data: Path, page: Path, say: Say) -> None:
    """Measures runs of `trainer pretrain` and writes the page's block, one row a floor and a run.

    Raises:
        DataError: a corpus cannot be read.
        FileNotFoundError: a run has no checkpoint.
        ValueError: a run is not of Autodecompose.
    """
    rows = [
        [name, "–", *_cells(voice_figures(model, data)), "–", "–"]
        for name, model in floor_models(TrainSettings()).items()
    ]
    for path in runs:
        objective, step = load_objective(RunFolder(path))
        if not isinstance(objective, Objective):
            raise ValueError(f"{path} is not a run of autodecompose.")
        say(f"{path.name}: voice")
        voice = _cells(voice_figures(autodecompose_voice(objective), data))
        content = ["–", "–"]  # a run without reconstruction has none
        if objective.settings.mse_weight:
            say(f"{path.name}: content")
            figures = content_figures(objective, data)
            content = [f"{figures.speaker_f1:.1f}", f"{figures.words:.1f}"]
        rows.append([path.name, str(step), *voice, *content])
    header = ["run", "steps", *(f"EER, {name}" for name in conditions(data)), "false accepts, 8 kHz"]
    header += ["speaker F1 of content", "words of content"]
    made = f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks encoders`, on {machine()}."
    write_block(page, "benchmarks encoders", f"{made}\n\n{table(header, rows)}")


def _cells(voice: VoiceFigures) -> list[str]:
    return [*(f"{value:.2f}" for value in voice.eers.values()), f"{voice.narrow_false_accepts:.1f}"]
