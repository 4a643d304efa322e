from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.audio.folders import read_audio, read_folder
from trainer.gaae.data import Guidance, one_second
from trainer.gaae.settings import PRESETS, GaaeSettings

LABELS = ("backward", "cancel", "close")  # of the first words of the corpus


@pytest.fixture(scope="session")
def tiny() -> GaaeSettings:
    """`small`, thinner, for three iterations."""
    return replace(
        PRESETS["small"], channels=2, batch=4, labelled_batch=4, rate=5e-5, iterations=3, checkpoint_steps=2
    )


@pytest.fixture(scope="session")
def guidance(small_corpora: Path) -> Guidance:
    folder = small_corpora / "arabic_speech_commands"
    return Guidance(folder, "word", LABELS, share=50.0, unlabelled=(folder,))


@pytest.fixture(scope="session")
def seconds(corpora: Path) -> torch.Tensor:
    """Six real seconds, (6, 16000)."""
    clips = read_folder(corpora / "arabic_speech_commands", "test")[::40][:6]
    return torch.from_numpy(np.stack([one_second(read_audio(clip.path)) for clip in clips]))
