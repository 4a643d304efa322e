"""What the page trains from nothing, and the hours of a GPU that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.folders import Clip
from trainer.audio.frontends import FRONTENDS
from trainer.autodecompose.networks import Autodecompose
from trainer.autodecompose.settings import PRESETS, TrainSettings
from trainer.reproduce.autodecompose.material import clip_seconds, first_seconds
from trainer.reproduce.autodecompose.overfitting import parts
from trainer.reproduce.autodecompose.overfitting import settings as overfitting_settings
from trainer.reproduce.autodecompose.settings import OBJECTIVES, TESTS, Variant, objective_settings
from trainer.reproduce.autodecompose.settings import Effort as Epochs
from trainer.reproduce.autodecompose.table3 import LABELLED, PAPER
from trainer.reproduce.autodecompose.trainings import SHOT_S, AutodecomposeRuns
from trainer.reproduce.flops import Effort, counted, hours_table

FRAMES = 64  # of a crop
COUNTED_FRAMES = 4  # of them; every layer costs as much for each frame


def planned(runs: AutodecomposeRuns) -> str:
    """A table of the trainings, a row a kind. Table III's ECAPA-TDNN, which is not the paper's, is left out.

    Raises:
        DataError: a corpus is missing.
    """
    scale, efforts = runs.scale, []
    every = variants()
    for objective in OBJECTIVES:
        settings = objective_settings(objective, scale.networks)
        for kind, effort in (("pre-trained", scale.pretrain), ("fine-tuned", scale.tune)):
            chosen = [
                v for v in every if v.objective == objective and (v.tuned == "no") == (kind == "pre-trained")
            ]
            steps = sum(_steps(_clips(runs, variant), settings.batch, effort) for variant in chosen)
            efforts.append(Effort(f"{objective}, {kind}", len(chosen), steps, step_flops(settings)))
    for encoder in scale.fig7_networks:
        pairs = [
            replace(PRESETS["paper"], encoder=encoder, decoder=decoder) for decoder in scale.fig7_networks
        ]
        steps = _steps(runs.clips("ten"), pairs[0].batch, scale.fig7)
        flops = sum(map(step_flops, pairs)) / len(pairs)
        efforts.append(Effort(f"Fig. 7, encoder {encoder}", len(pairs), len(pairs) * steps, flops))
    overfitted = overfitting_settings(runs)
    steps = _steps(parts(runs)[0], overfitted.batch, scale.overfit)
    efforts.append(Effort("overfitting", 1, steps, step_flops(overfitted)))
    return hours_table(efforts)


def variants() -> set[Variant]:
    """Those of Tables II and III, with what they are fine-tuned from."""
    named = {test.variant(objective) for test in TESTS for objective in OBJECTIVES}
    named |= {
        Variant(objective, source, tuned, "" if tuned == "no" else labelled)
        for source, tuned in PAPER
        if tuned != "–"
        for objective in OBJECTIVES
        for labelled in LABELLED
    }
    return named | {variant.parent for variant in named if variant.parent is not None}


def step_flops(settings: TrainSettings) -> int:
    """Of the networks, for a batch; augmentations and random channels are not counted."""
    mels = FRONTENDS[settings.frontend].mels

    def step() -> None:
        model = Autodecompose(settings.encoder, settings.decoder, mels, settings.width, settings.content_norm)
        views = 2 if settings.bt_weight else 1
        voice = model.E_s(torch.empty(views * settings.batch, COUNTED_FRAMES, mels))
        content = model.E_c(torch.empty(settings.batch, COUNTED_FRAMES, mels))
        (model.decode(voice[: settings.batch], content).sum() + voice.sum()).backward()

    with torch.device("meta"):
        return counted(step) * FRAMES // COUNTED_FRAMES


def _clips(runs: AutodecomposeRuns, variant: Variant) -> list[Clip]:
    clips = runs.clips(variant.source if variant.tuned == "no" else variant.target)
    return first_seconds(clips, SHOT_S)[0] if variant.tuned == "10 s" else clips


def _steps(clips: Sequence[Clip], batch: int, effort: Epochs) -> int:
    """As `trainer.training.batches.PairSampler` counts them, from the lengths in metadata.tsv."""
    crops = sum(max(int(clip_seconds(clip) * SAMPLE_RATE_HZ) // CROP_SAMPLES, 1) for clip in clips)
    per_epoch = max(crops // batch, 1)
    return effort.within(per_epoch) * per_epoch
