"""Trains a parent's network on: how it then embeds, what writes it, and its losses beside its parent's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from bundle.voice import VoiceBundle
from trainer.finetuning.audio import JobAudio
from trainer.finetuning.network import Network
from trainer.finetuning.report import Change
from trainer.finetuning.stepped_network import SteppedNetwork
from trainer.finetuning.steps import OnStep, StepSettings, take_steps


def train(
    parent: VoiceBundle,
    job: JobAudio,
    steps: int,
    same_voice_seconds: float,
    work_dir: Path,
    on_step: OnStep,
    canceled: Callable[[], bool],
) -> SteppedNetwork:
    """Takes steps on the recordings that are not left out; arguments and errors as for `finetune`."""
    old = Network.load(parent)
    new = old.copy()
    speech, held = job.training(), job.held_out()
    settings = StepSettings(steps=steps, same_voice_seconds=same_voice_seconds)
    take_steps(new.objective, speech, settings, work_dir, on_step=on_step, canceled=canceled)
    losses = [network.losses(held, same_voice_seconds) for network in (old, new)]
    changes = {
        name: Change(losses[0][key], losses[1][key]) if key in losses[0] else None
        for name, key in (("reconstruction", "mse"), ("barlow_twins", "bt"))
    }
    return SteppedNetwork(new.embed, new.files(old, held), changes, asdict(settings))
