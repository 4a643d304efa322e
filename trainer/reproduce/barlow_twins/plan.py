"""What is trained and measured, and where finished figures are stored: an interrupted command goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from bundle.arrays import Float32
from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import contiguous_crops, read_folder, read_noise
from trainer.barlow_twins.settings import PRESETS, BarlowTwinsSettings
from trainer.pages.stored import stored_figures

NOISE = "noise"  # corpus that trainings mix in


@dataclass(frozen=True)
class Plan:
    """Defaults are for two CPU cores; the paper has 50 epochs a model and 50 runs a box."""

    data: Path  # folder of the corpora
    runs: Path  # gets the trainings, and the finished figures
    page: Path
    cache: Path
    console: Console
    settings: BarlowTwinsSettings = PRESETS["small"]
    librispeech_epochs: int = 50  # of the long trainings, where they are missing
    speechocean_epochs: int = 5
    sweep_corpus: str = "librispeech"
    sweep_epochs: int = 1  # of a short training: 46 steps each
    repeats: int = 3  # trainings a box of Figs 4 and 5
    supervised_steps: int = 60
    most_supervised_steps: int = 1920  # of one that is trained to convergence, by doubling the steps
    latent_sizes: tuple[int, ...] = (16, 32, 64, 128, 512, 1024, 2048)
    shares: tuple[int, ...] = (5, 10, 50, 100)  # percent of the labels
    share_draws: int = 5
    evaluation_draws: int = 10

    @property
    def pictures(self) -> Path:
        """Folder beside the page, of its name."""
        return self.page.with_suffix("")

    def say(self, text: str) -> None:
        self.console.print(text)

    def figures(self, name: str, made_with: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """Figures of `figures/<name>.json`, see `stored_figures`."""
        path = self.runs / "figures" / f"{name}.json"
        return stored_figures(path, {"made_with": made_with}, compute, self.say)

    def clips(self, corpus: str, split: str) -> ClipCache:
        return build_cache(read_folder(self.data / corpus, split), self.cache, warn=self.say)

    def noise_crops(self) -> Float32:
        """(n, 16384) of the noise that trainings may use."""
        noise = build_cache(read_noise(self.data / NOISE, "train"), self.cache, warn=self.say)
        return np.concatenate([contiguous_crops(noise.clip(i)) for i in range(len(noise))])


#: Fields of `Plan` by `--scale`. `paper` is sections 2.3 and 3; the supervised steps, not given, are ours.
SCALES: dict[str, dict[str, Any]] = {
    "cpu": {},
    "paper": {
        "settings": PRESETS["paper"],
        "librispeech_epochs": 50,
        "speechocean_epochs": 50,
        "sweep_epochs": 50,
        "repeats": 50,
        "supervised_steps": 5000,
        "most_supervised_steps": 40_000,
        "evaluation_draws": 50,
    },
}
