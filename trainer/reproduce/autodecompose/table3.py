"""Table III: beside GE2E and a TDNN, both trained with labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bundle.arrays import Float32
from trainer.bundles.runner import BundleRunner
from trainer.metrics.few_shot import SECONDS
from trainer.pages.blocks import table
from trainer.peers.ecapa.objective import LabelledSampler, SpeakerClassifier
from trainer.peers.ecapa.settings import EcapaSettings
from trainer.peers.resemblyzer import Resemblyzer
from trainer.reproduce.autodecompose.features import CROPS_AT_ONCE
from trainer.reproduce.autodecompose.material import SETS
from trainer.reproduce.autodecompose.measures import floor_row, shot_cells, variant_row, voice_figures
from trainer.reproduce.autodecompose.settings import OBJECTIVES, Variant
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.scoring.embedding import CropEncoder

PAPER = {  # Table III, by SECONDS; the paper's YouTube and Libri
    ("elsewhere", "no"): (83.6, 87.5, 92.3, 94.5, 95.7),
    ("elsewhere", "10 s"): (90.4, 92.9, 95.3, 96.7, 97.3),
    ("elsewhere", "all"): (96.3, 96.8, 98.1, 98.7, 99.0),
    ("home", "no"): (90.1, 92.9, 94.7, 96.2, 97.2),
    ("home", "10 s"): (91.3, 93.3, 95.1, 96.5, 97.3),
    ("home", "all"): (97.6, 98.4, 98.9, 99.3, 99.3),
    ("GE2E", "–"): (93.9, 94.8, 95.4, 96.3, 96.9),
    ("TDNN", "–"): (95.7, 96.8, 97.3, 97.6, 98.0),
}
LABELLED = ("test-other", "strangers")


def table3(runs: AutodecomposeRuns, bundle: Path) -> str:
    """`bundle`: the shipped model, measured beside the paper's kinds."""
    shipped = BundleRunner.load(bundle, threads=1)
    parts = [
        "## Table III: beside supervised models",
        "Every model gets the same crops and the same draws. GE2E is Resemblyzer with its published "
        "weights, trained with the labels of thousands of speakers. TDNN is our own ECAPA-TDNN "
        "(`trainer/peers/ecapa`). It was trained with the labels of `home`, the audio that the `home` rows "
        "had without labels. The equal error rate, in %, is over every pair of utterances. A score is the "
        "cosine of mean embeddings, centred with the set's own mean. The dimensions of E_s have no common "
        "scale: each is brought to deviation 1 over the set. The paper's figures are for 40 speakers of "
        "test-other. The last row is the shipped model. It had the same audio and crowd's, without labels. "
        "It also had a wider window, longer training and the whitening of docs/training.md. The two rows "
        "before it are floors: random weights, and mel features (mean and deviation over time).",
    ]
    for labelled in LABELLED:
        rows = []
        for (source, tuned), paper in PAPER.items():
            rows.append([source, tuned, "paper", *(f"{f1:.1f}" for f1 in paper), "–"])
            if source in {"GE2E", "TDNN"}:
                rows.append([source, tuned, "here", *_cells(_supervised(runs, source, labelled))])
                continue
            for objective in OBJECTIVES:
                variant = Variant(objective, source, tuned, "" if tuned == "no" else labelled)
                rows.append([source, tuned, objective, *_cells(variant_row(runs, variant, labelled, "E_s"))])
        for name, which in (("E_s, untrained", "E_s"), ("no network", "mel")):
            rows.append([name, "–", "floor", *_cells(floor_row(runs, which, labelled))])
        rows.append([shipped.id, "–", "shipped", *_cells(_shipped(runs, shipped, labelled))])
        parts += [
            f"### On `{labelled}`: {SETS[labelled]}",
            table(["model", "fine-tuned", "", *(f"{k} s" for k in SECONDS), "EER"], rows),
        ]
    return "\n\n".join(parts)


def _shipped(runs: AutodecomposeRuns, bundle: BundleRunner, labelled: str) -> dict[str, Any]:
    def compute() -> dict[str, Any]:
        return voice_figures(runs.clips(labelled), bundle.embed, draws=runs.scale.draws, standardise=False)

    return runs.figures(f"voices/{bundle.id.replace('/', '-')}-on-{labelled}", compute)


def _cells(figures: dict[str, Any]) -> list[str]:
    error = figures["eer"]
    return [*shot_cells(figures), "–" if error is None else f"{error:.2f}"]


def _supervised(runs: AutodecomposeRuns, model: str, labelled: str) -> dict[str, Any]:
    def compute() -> dict[str, Any]:
        encode = Resemblyzer.load().embed if model == "GE2E" else ecapa_encoder(runs)
        return voice_figures(runs.clips(labelled), encode, draws=runs.scale.draws, standardise=False)

    return runs.figures(f"voices/{model}-on-{labelled}", compute)


def ecapa_encoder(runs: AutodecomposeRuns) -> CropEncoder:
    """Our ECAPA-TDNN, trained with the labels of `home` where it has not been yet."""
    settings = EcapaSettings()
    speech = runs.cache(runs.clips("home"))
    sampler = LabelledSampler(speech, runs.noise(), settings.batch, settings.seed)
    settings = replace(settings, epochs=runs.scale.ecapa.within(sampler.steps_per_epoch))
    torch.manual_seed(settings.seed)
    model = SpeakerClassifier(settings, sampler.speakers)
    runs.train("ecapa", settings, model, sampler, speech)

    @torch.inference_mode()
    def encode(crops: Float32) -> Float32:
        batches = torch.split(torch.from_numpy(crops), CROPS_AT_ONCE)
        return np.concatenate([model.embed(batch).numpy() for batch in batches])

    return encode
