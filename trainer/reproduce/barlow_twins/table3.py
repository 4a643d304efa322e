"""Table 3: how far single latents match identity, gender and age group, by latent size and corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.data import contiguous_crops
from trainer.metrics.disentanglement import disentanglement
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.trainings import UNTRAINED, UPSTREAM, model, short_model

CORPUS = "speechocean762"  # its test speakers
ADULT_YEARS = 16

#: Draws of `trainer.metrics.disentanglement.Disentanglement`, by latent size or model's name.
Table3 = dict[str, list[dict[str, float]]]


def measure_table3(plan: Plan) -> Table3:
    """Trains and measures what is not kept yet."""
    rows: dict[str, tuple[BarlowTwinsSettings, Callable[[], BarlowTwins]]] = {
        **{str(latent): short_model(plan, latent=latent) for latent in plan.latent_sizes},
        **{name: model(plan, name) for name in (*UPSTREAM, UNTRAINED)},
    }
    table: Table3 = {}
    for name, (settings, get) in rows.items():
        made_with: dict[str, Any] = {"settings": settings.to_json(), "draws": plan.evaluation_draws}
        table[name] = plan.kept(f"table3/{name}", made_with, partial(_draws, plan, get))
    return table


def _draws(plan: Plan, get: Callable[[], BarlowTwins]) -> list[dict[str, float]]:
    objective = get()
    crops, factors = labelled_crops(plan)
    codes = encode(objective.latents, crops, objective.settings.mixed_precision)
    halves = [
        np.random.default_rng(draw).permutation(len(crops))[: len(crops) // 2]
        for draw in range(plan.evaluation_draws)
    ]
    return [asdict(disentanglement(codes[half], factors[half])) for half in halves]


def labelled_crops(plan: Plan) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Crops (n, 16384) of the test speakers, and factors (n, 3): identity, gender and age group, as names."""
    clips = plan.clips(CORPUS, "test")
    crops = [contiguous_crops(clips.clip(i)) for i in range(len(clips))]
    factors = [
        (clip.speaker, clip.labels["gender"], "adult" if int(clip.labels["age"]) >= ADULT_YEARS else "child")
        for clip in clips.clips
    ]
    return np.concatenate(crops), np.repeat(np.array(factors), [len(c) for c in crops], axis=0)
