"""What the page trains from nothing, and the hours of a GPU that it takes."""

from __future__ import annotations

from dataclasses import replace

import torch

from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.folders import read_folder
from trainer.barlow_twins.objective import NORMALISERS, BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.downstream.tasks import TASKS
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.trainings import UPSTREAM
from trainer.reproduce.flops import Effort, counted, hours_table

SPECTROGRAM = (513, 126)  # bins, frames of a crop


def planned(plan: Plan) -> str:
    """A table of the trainings.

    Raises:
        DataError: a corpus is missing.
    """
    s = plan.settings
    per_epoch = {name: steps_per_epoch(plan, name) for name in (*UPSTREAM, plan.sweep_corpus)}
    epochs = {"librispeech": plan.librispeech_epochs, "speechocean762": plan.speechocean_epochs}
    efforts = [Effort(f"long, {name}", 1, epochs[name] * per_epoch[name], step_flops(s)) for name in UPSTREAM]
    short = plan.sweep_epochs * per_epoch[plan.sweep_corpus]
    efforts += [
        Effort(f"latent {latent}", 1, short, step_flops(replace(s, latent=latent)))
        for latent in plan.latent_sizes
    ]
    variants = len(NORMALISERS) * plan.repeats
    efforts.append(Effort("variants", variants, variants * short, step_flops(s)))
    supervised = len(TASKS) * (len(plan.shares) + plan.repeats - 1)  # all labels and seed 0 are in both
    steps = supervised * plan.supervised_steps
    efforts.append(Effort("supervised", supervised, steps, step_flops(s) / 2))  # one view
    doubled = len(TASKS) * len(plan.shares)  # at most: most, and all shorter ones before it
    steps = doubled * 2 * plan.most_supervised_steps
    efforts.append(Effort("supervised, to convergence", doubled, steps, step_flops(s) / 2))
    return hours_table(efforts)


def steps_per_epoch(plan: Plan, corpus: str) -> int:
    """Of `trainer.training.batches.PairSampler`, from the lengths in metadata.tsv."""
    samples = [
        float(clip.labels["seconds"]) * SAMPLE_RATE_HZ for clip in read_folder(plan.data / corpus, "train")
    ]
    return max(sum(max(int(n) // CROP_SAMPLES, 1) for n in samples) // plan.settings.batch, 1)


def step_flops(settings: BarlowTwinsSettings) -> int:
    """Of the networks and the loss, for a batch; the random channels are not counted."""

    def step() -> None:
        objective = BarlowTwins(settings).train()
        x = torch.empty(2 * settings.batch, *SPECTROGRAM)
        projected = objective.projector(objective.backbone(x))
        z1, z2 = (objective.normaliser(z) for z in projected.chunk(2))
        (z1.T @ z2).square().sum().backward()  # C of equation 2; the loss without its weights

    with torch.device("meta"):
        return counted(step)
