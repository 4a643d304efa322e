"""Table 3: how far single latents match identity, gender and age group, by latent size and corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from trainer.audio.folders import contiguous_crops
from trainer.barlow_twins.encode import encode
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.downstream import speaker_factors
from trainer.metrics.disentanglement import disentanglement
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.trainings import UNTRAINED, UPSTREAM, model, short_model

CORPUS = "speechocean762"  # its test speakers
NOISE_ROW = "noise"


#: Draws of `trainer.metrics.disentanglement.Disentanglement`, by latent size, model's name or `NOISE_ROW`.
Table3 = dict[str, list[dict[str, float]]]


def measure_table3(plan: Plan) -> Table3:
    """Trains and measures what is not stored yet."""
    models: dict[str, tuple[BarlowTwinsSettings, Callable[[], BarlowTwins]]] = {
        **{str(latent): short_model(plan, latent=latent) for latent in plan.latent_sizes},
        **{name: model(plan, name) for name in (*UPSTREAM, UNTRAINED)},
    }
    sources: dict[str, tuple[Any, Callable[[Float32], Float32]]] = {
        **{name: (settings.to_json(), partial(_latents, get)) for name, (settings, get) in models.items()},
        NOISE_ROW: (plan.settings.latent, partial(_noise, plan.settings.latent)),
    }
    return {
        name: plan.figures(
            f"table3/{name}",
            {"settings": settings, "draws": plan.evaluation_draws},
            partial(_draws, plan, codes),
        )
        for name, (settings, codes) in sources.items()
    }


def _draws(plan: Plan, codes_of: Callable[[Float32], Float32]) -> list[dict[str, float]]:
    crops, factors = labelled_crops(plan)
    codes = codes_of(crops)
    halves = [
        np.random.default_rng(draw).permutation(len(crops))[: len(crops) // 2]
        for draw in range(plan.evaluation_draws)
    ]
    return [asdict(disentanglement(codes[half], factors[half])) for half in halves]


def _latents(get: Callable[[], BarlowTwins], crops: Float32) -> Float32:
    return encode(get().latents, crops)


def _noise(size: int, crops: Float32) -> Float32:
    """Codes that know nothing: what a finite number of crops lets the measures see in them all the same."""
    return np.random.default_rng(0).normal(size=(len(crops), size)).astype(np.float32)


def labelled_crops(plan: Plan) -> tuple[Float32, NDArray[np.str_]]:
    """Crops (n, 16384) of the test speakers, and `trainer.downstream.FACTORS` (n, 3)."""
    clips = plan.clips(CORPUS, "test")
    crops = [contiguous_crops(clips.clip(i)) for i in range(len(clips))]
    factors = [speaker_factors(clip) for clip in clips.clips]
    return np.concatenate(crops), np.repeat(np.array(factors), [len(c) for c in crops], axis=0)
