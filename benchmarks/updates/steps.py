"""What do training steps add to an adaptation? → docs/results/finetune.md, a row for each way to take them.

Chosen on speakers of train splits that the shipped model has not heard. The floor is the adaptation alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.updates.finetune import split_halves, spread_clips
from benchmarks.updates.voices import LabelledCrops, TuningFigures, measure_embedded
from bundle.adaptation import fit_adaptation
from bundle.scoring import Scorer
from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.finetuning.audio import read_job
from trainer.finetuning.crops import embed_crops
from trainer.finetuning.network import Network
from trainer.finetuning.steps import StepSettings, take_steps
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.scoring.embedding import CropEncoder
from trainer.terminal import Say
from trainer.training.clusters import pseudo_speakers
from trainer.training.material import set_aside

#: Train splits; of what the shipped model was trained on, the speakers that were set aside.
CORPORA = ("speechocean762", "arabic_speech_commands")


@dataclass(frozen=True)
class Way:
    """One way to take steps; `steps` 0 is the adaptation alone."""

    steps: int
    rate: float = 0.0
    batch: int = 16
    pseudo_speakers: bool = False  # crops of a pair are of two recordings of a pseudo-speaker

    def cells(self) -> list[str]:
        if not self.steps:
            return ["none", "–", "–", "–"]
        pairs = "pseudo-speaker" if self.pseudo_speakers else "recording"
        rate = f"{self.rate:.0e}".replace("e-0", "e-")
        return [str(self.steps), rate, str(self.batch), pairs]


WAYS = (
    Way(0),
    Way(50, 1e-6),
    Way(50, 1e-5),
    Way(50, 1e-5, pseudo_speakers=True),
    Way(50, 1e-4, pseudo_speakers=True),
)


@dataclass(frozen=True)
class Tried:
    """Every way on one corpus."""

    corpus: str
    speakers: int
    pseudo_speakers: int
    purity: float  # share of recordings whose pseudo-speaker is mostly their speaker
    before: TuningFigures
    figures: list[TuningFigures]  # of `WAYS`


def steps_page(bundle: Path, data: Path, page: Path, say: Say) -> None:
    """Writes the figures into the page.

    Raises:
        BundleError, DataError, FinetuneError: the bundle or the corpora cannot be used.
    """
    parent = BundleRunner.load(bundle)
    network = Network.load(parent.manifest)
    tried = [_try(parent, network, corpus, data, say) for corpus in CORPORA]
    write_block(page, "benchmarks finetune-steps", _text(parent, tried))


def unheard_clips(data: Path, corpus: str, training: dict[str, Any]) -> list[Clip]:
    """The train split; where the model was trained on the corpus, only the speakers that were set aside."""
    clips = read_folder(data / corpus, "train")
    if corpus in _heard(training):
        clips = [clip for clip in clips if set_aside(clip, training["aside"])]
    return spread_clips(clips)


def _heard(training: dict[str, Any]) -> set[str]:
    """The corpora of a training, and of those that it started from."""
    earlier = training.get("started_from")
    return {*training["data"], *(_heard(earlier) if earlier else ())}


def _try(parent: BundleRunner, network: Network, corpus: str, data: Path, say: Say) -> Tried:
    mine, others = split_halves(unheard_clips(data, corpus, parent.manifest.training))
    job = read_job([clip.path for clip in mine], [clip.speaker for clip in mine]).recordings
    left_out = LabelledCrops.read(others)
    embedded = parent.embed(left_out.crops)
    labels = _pseudo_speakers(job, parent)
    figures = []
    for way in WAYS:
        say(f"{corpus}: {', '.join(way.cells())}")
        encode = _stepped(network, job, way, labels)
        vectors = encode(left_out.crops) if way.steps else embedded
        crops = embed_crops(job, [parent.embed, *([encode] if way.steps else [])], parent.scorer, 0)
        adaptation = fit_adaptation(
            parent.manifest.scoring,
            crops.vectors[0],
            crops.stretch,
            after=crops.vectors[-1],
            overlap=crops.overlap,
        )
        figures.append(measure_embedded(Scorer(adaptation.scoring), adaptation(vectors), left_out))
        say(str(figures[-1]))
    return Tried(
        corpus,
        len({clip.speaker for clip in mine}),
        int(labels.max()) + 1,
        _purity(labels, [clip.speaker for clip in job.clips]),
        measure_embedded(parent.scorer, embedded, left_out),
        figures,
    )


def _stepped(network: Network, job: ClipCache, way: Way, labels: NDArray[np.int64]) -> CropEncoder:
    """How the network embeds after the steps, before the adaptation."""
    new = network.copy()
    settings = StepSettings(steps=way.steps, rate=way.rate, batch=way.batch)
    with tempfile.TemporaryDirectory() as folder:
        take_steps(
            new.objective,
            job,
            settings,
            Path(folder),
            on_step=lambda *_: None,
            canceled=lambda: False,
            voices=labels if way.pseudo_speakers else None,
        )
    return new.embed


def _pseudo_speakers(job: ClipCache, parent: BundleRunner) -> NDArray[np.int64]:
    """Which voice each recording seems to be of: (recordings,)."""
    crops = embed_crops(job, [parent.embed], parent.scorer, 0)
    sums = np.zeros((len(job), crops.vectors[0].shape[1]), np.float32)
    np.add.at(sums, crops.recording, crops.vectors[0])
    return pseudo_speakers(sums / np.linalg.norm(sums, axis=1, keepdims=True), ["job"] * len(job))


def _purity(labels: NDArray[np.int64], speakers: Sequence[str]) -> float:
    of = np.unique(np.asarray(speakers), return_inverse=True)[1]
    counts = np.zeros((labels.max() + 1, of.max() + 1), int)
    np.add.at(counts, (labels, of), 1)
    return float(counts.max(axis=1).sum() / counts.sum())


def _text(parent: BundleRunner, tried: Sequence[Tried]) -> str:
    rows = []
    for of in tried:
        rows.append([of.corpus, "no adaptation", "–", "–", "–", *_cells(of.before)])
        rows += [
            [of.corpus, *way.cells(), *_cells(figures)] for way, figures in zip(WAYS, of.figures, strict=True)
        ]
    header = ["corpus", "steps", "rate", "pairs a batch", "both crops of a", "F1 from 10 s, %", "EER, %"]
    clusters = [
        f"- {of.corpus}: {of.speakers} speakers, {of.pseudo_speakers} pseudo-speakers, purity {of.purity:.2f}"
        for of in tried
    ]
    return "\n\n".join(
        [
            f"Parent: `{parent.id}`. {date.today()}. Machine: {machine()}.",
            "\n".join(clusters),
            table([*header, "false accepts, %"], rows),
        ]
    )


def _cells(figures: TuningFigures) -> list[str]:
    f1 = "–" if figures.f1 is None else f"{figures.f1:.1f}"
    return [f1, f"{figures.eer:.1f}", f"{figures.false_accepts:.2f}"]
