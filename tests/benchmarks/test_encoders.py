from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.encoders.voice import CLEAN, WHITENINGS, set_aside, voice_figures
from trainer.audio.folders import read_folder
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.training.settings import override

SMALL = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "width": "16", "bt_width": "16"})


def test_no_speaker_is_fitted_on_and_measured(speech_data: Path) -> None:
    fitted, measured = set_aside(read_folder(speech_data / "speechocean762", "train"), 1)
    assert {c.speaker for c in fitted}.isdisjoint(c.speaker for c in measured)
    assert len({c.speaker for c in measured}) == 62


def test_even_random_features_tell_sessions_apart_and_noise_hides_them(speech_data: Path) -> None:
    torch.manual_seed(0)
    by_whitening = voice_figures(Objective(SMALL).eval(), speech_data, every=4)
    assert list(by_whitening) == list(WHITENINGS)
    for figures in by_whitening.values():
        assert figures.eers[CLEAN] < 45
        assert figures.eers[CLEAN] < figures.eers["noise at 10 dB"]
        assert 0 <= figures.narrow_false_accepts <= 100


def test_a_run_without_acoustics_is_refused(speech_data: Path) -> None:
    objective = Objective(override(SMALL, {"acoustics": "none"}))
    with pytest.raises(ValueError, match="without acoustics"):
        voice_figures(objective.eval(), speech_data, every=50)
