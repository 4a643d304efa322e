"""How far voice and content depend on each other, beside the same of networks that were never trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainer.metrics import hsic, hsic_floor, linear_r2
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.reproduce.autodecompose.vectors import Source, pooled, sources
from trainer.scoring.embedding import encode_clips

MEASURED_ON = "strangers"
CROPS = 1500  # at most: kernels are of crops × crops
HELD_OUT = 3  # one speaker in so many is for testing the probes


def independence(runs: AutodecomposeRuns, bundle: Path) -> str:
    """`bundle`: the shipped model."""
    rows = []
    for source in sources(runs, bundle):
        if source.E_c is None:
            continue
        name = source.name.replace("/", "-")
        figures = runs.figures(f"independence/{name}", lambda source=source: _compute(runs, source))  # type: ignore[misc]
        columns = ("hsic", "floor", "content_from_voice", "voice_from_content")
        rows.append([source.name, *(f"{figures[column]:.3f}" for column in columns)])
    return "\n\n".join(
        [
            "## How far voice and content depend on each other",
            f"E_s and E_c of the same crops of `{MEASURED_ON}`, at most {CROPS}, pooled over time. *HSIC* "
            "is 0 where they are independent and 1 where one determines the other. Its *floor* is that of "
            "the same crops paired at random. R² is of ridge regression, learnt on two thirds of the "
            "speakers and tested on the others. 0 is no better than the mean. The paper claims that "
            "the two are separate, and does not measure it. Speakers say different sentences, so perfect "
            "encoders would be near the floor.",
            table(["", "HSIC", "floor", "R², E_s → E_c", "R², E_c → E_s"], rows),
        ]
    )


def _compute(runs: AutodecomposeRuns, source: Source) -> dict[str, Any]:
    assert source.E_c is not None
    E_s, E_c = source.E_s(), source.E_c()
    encoded = encode_clips(
        runs.clips(MEASURED_ON), [lambda crops: pooled(E_s(crops)), lambda crops: pooled(E_c(crops))]
    )
    rows = np.sort(np.random.default_rng(0).permutation(len(encoded.crop_clip))[:CROPS])
    voice, content = (vectors[rows] for vectors in encoded.vectors)
    speakers = np.asarray([clip.speaker for clip in encoded.clips])[encoded.crop_clip[rows]]
    tested = np.isin(speakers, np.unique(speakers)[::HELD_OUT])
    return {
        "hsic": hsic(voice, content),
        "floor": hsic_floor(voice, content),
        "content_from_voice": linear_r2(voice, content, tested),
        "voice_from_content": linear_r2(content, voice, tested),
    }
