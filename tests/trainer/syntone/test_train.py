from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.syntone.objectives import Material
from trainer.syntone.settings import SETTINGS
from trainer.syntone.train import train
from trainer.training.checkpoint import read_step


class Stopped(Exception):
    pass


@pytest.mark.parametrize("name", SETTINGS)
def test_training_lowers_the_loss(name: str, material: Material, tmp_path: Path) -> None:
    settings = replace(SETTINGS[name], epochs=4, batch=32, noise=0.3)
    losses: list[float] = []
    train(settings, material, tmp_path / "c.safetensors", lambda *at: losses.append(at[2]["error"]))
    per_epoch = 540 // 32
    assert len(losses) == 4 * per_epoch
    assert np.mean(losses[-per_epoch:]) < 0.8 * np.mean(losses[:per_epoch])


def test_a_stopped_training_goes_on_exactly(material: Material, tmp_path: Path) -> None:
    settings = replace(SETTINGS["factor_vae"], epochs=1, batch=64, checkpoint_steps=2)
    whole = train(settings, material, tmp_path / "whole.safetensors")

    def stop(step: int, *_: object) -> None:
        if step == 6:
            raise Stopped

    with pytest.raises(Stopped):
        train(settings, material, tmp_path / "cut.safetensors", stop)
    steps: list[int] = []
    cut = train(settings, material, tmp_path / "cut.safetensors", lambda step, *_: steps.append(step))
    assert steps == list(range(5, 9))
    for ours, theirs in zip(cut.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_training_that_is_told_to_stop_leaves_its_steps(material: Material, tmp_path: Path) -> None:
    def stop(step: int, *_: object) -> None:
        assert step == 1
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(replace(SETTINGS["vae"], epochs=1, batch=200), material, tmp_path / "c.safetensors", stop)
    assert read_step(tmp_path / "c.safetensors") == 1


def test_another_setting_is_refused(material: Material, tmp_path: Path) -> None:
    settings = replace(SETTINGS["vae"], epochs=1, batch=200)
    train(settings, material, tmp_path / "c.safetensors")
    with pytest.raises(ValueError, match="other settings"):
        train(replace(settings, beta=2.0), material, tmp_path / "c.safetensors")
