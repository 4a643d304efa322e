"""Voices told apart: the paper's few-shot F1, and the equal error rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bundle.scoring import centre
from trainer.audio.folders import Clip
from trainer.metrics import eer, few_shot
from trainer.metrics.few_shot import SECONDS
from trainer.reproduce.autodecompose.features import pooled_encoder
from trainer.reproduce.autodecompose.settings import Variant
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.scoring.calibration import pair_scores
from trainer.scoring.embedding import CropEncoder, embed_clips


def voice_figures(
    clips: Sequence[Clip],
    encode: CropEncoder,
    *,
    draws: int,
    standardise: bool,
    seconds: Sequence[int] = SECONDS,
) -> dict[str, Any]:
    """`few_shot` by seconds, `eer` in percent, `speakers` and `crops`.

    The same clips and draws give the same crops for every encoder.

    Args:
        standardise: for vectors whose dimensions have no common scale: the error rate, a cosine's, is taken
            with every dimension at deviation 1 over the set. F1 standardises anyway.
    """
    embedded = embed_clips(clips, encode)
    names = np.asarray([clip.speaker for clip in embedded.clips])
    shots = few_shot(embedded.crops, names[embedded.crop_clip], seconds=seconds, draws=draws)
    utterances = embedded.utterances
    if standardise:
        utterances = utterances / (utterances.std(axis=0) + 1e-6)
    target, nontarget = pair_scores(centre(utterances, utterances.mean(axis=0)), names.tolist())
    return {
        "few_shot": {str(k): asdict(shot) for k, shot in shots.items()},
        "eer": 100 * eer(target, nontarget) if target.size and nontarget.size else None,
        "speakers": len(set(names.tolist())),
        "crops": len(embedded.crops),
    }


def variant_row(runs: AutodecomposeRuns, variant: Variant, labelled: str, encoder: str) -> dict[str, Any]:
    """Figures of one encoder of one variant on one set."""

    def compute() -> dict[str, Any]:
        encode = pooled_encoder(runs.model(variant), encoder)
        return voice_figures(runs.clips(labelled), encode, draws=runs.scale.draws, standardise=True)

    return runs.figures(f"voices/{variant.name}-on-{labelled}-{encoder}", compute)


def floor_row(runs: AutodecomposeRuns, which: str, labelled: str) -> dict[str, Any]:
    """The same of what nobody trained: an encoder with random weights, or `mel`, no network at all."""

    def compute() -> dict[str, Any]:
        encode = pooled_encoder(runs.untrained(), which)
        return voice_figures(runs.clips(labelled), encode, draws=runs.scale.draws, standardise=True)

    return runs.figures(f"voices/untrained-on-{labelled}-{which}", compute)


def shot_cells(figures: dict[str, Any]) -> list[str]:
    """A cell for each of `SECONDS`: mean ± deviation, and of how many speakers where not of all."""
    cells = []
    for k in SECONDS:
        shot = figures["few_shot"].get(str(k))
        if shot is None:
            cells.append("–")
            continue
        fewer = f" ({shot['speakers']})" if shot["speakers"] < figures["speakers"] else ""
        cells.append(f"{shot['f1']:.1f} ± {shot['std']:.1f}{fewer}")
    return cells
