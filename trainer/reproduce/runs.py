"""The folder of a paper's command: trainings and finished figures. The same command goes on there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import Clip
from trainer.pages.stored import stored_figures
from trainer.training.loop import Report
from trainer.training.run_folder import RunFolder

REPORT_S = 30.0  # between two lines of progress

Card = dict[str, Any]  # run.json


@dataclass(frozen=True, kw_only=True)
class PaperRuns:
    """What the trainings and figures of every paper share.

    Attributes:
        folder: holds run folders `trained/<name>/`, finished figures `rows/<name>.json`, and decoded audio
            in `cache/`.
    """

    folder: Path
    console: Console

    def say(self, text: str) -> None:
        self.console.print(text)

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def cache_folder(self) -> Path:
        return self.folder / "cache"

    def cache(self, clips: Sequence[Clip]) -> ClipCache:
        """Decoded clips."""
        return build_cache(clips, self.cache_folder, warn=self.say)

    def run(self, name: str) -> RunFolder:
        """Where a training lies."""
        return RunFolder(self.folder / "trained" / name)

    def begin(self, name: str, card: Card, lasting: Callable[[Card], Card]) -> RunFolder:
        """Writes the card of a training that starts or goes on.

        Args:
            lasting: what of a card may not change when a training goes on.

        Raises:
            ValueError: the training was begun with other settings or audio.
        """
        run, text = self.run(name), json.dumps(card, indent=1)
        if run.card.is_file() and lasting(json.loads(run.card.read_text())) != lasting(json.loads(text)):
            raise ValueError(
                f"{run.path} was begun with other settings or audio: delete it, or choose another folder."
            )
        run.path.mkdir(parents=True, exist_ok=True)
        run.card.write_text(text + "\n")
        return run

    def stored(self, name: str, made_with: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """Figures of `rows/<name>.json`, see `stored_figures`."""
        return stored_figures(self.folder / "rows" / f"{name}.json", made_with, compute, self.say)

    def progress(self, name: str) -> Report:
        """Says every half minute how far a training is, and once at its end."""
        started: tuple[int, float] | None = None  # step and time of the first report
        last_report = time.monotonic()

        def report(step: int, steps: int, losses: dict[str, float]) -> None:
            nonlocal started, last_report
            now = time.monotonic()
            started = started or (step, now)
            if now - last_report < REPORT_S and step != steps:
                return
            last_report = now
            step_s = (now - started[1]) / max(step - started[0], 1)
            values = ", ".join(f"{loss} {value:.4g}" for loss, value in losses.items())
            minutes = (steps - step) * step_s / 60
            self.say(f"{name}: step {step} of {steps}, {values}, {minutes:.0f} min left")

        return report
