from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.encoders.voice import CLEAN, NARROW, TRIALS, fitted_on, trials, voice_figures
from trainer.autodecompose.bundle import autodecompose_voice
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.training.settings import override

SMALL = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "width": "16", "bt_width": "16"})


def test_no_speaker_is_fitted_on_and_measured(speech_data: Path) -> None:
    fitted = {f"{clip.corpus}/{clip.speaker}" for clip in fitted_on(speech_data, every=3)}
    measured_names = [trials(speech_data, corpus).speakers for corpus in TRIALS]
    measured = {name for names in measured_names for name in names}
    assert fitted.isdisjoint(measured)
    assert len(measured) > 20
    assert all(len(names) > len(set(names)) for names in measured_names)  # there are pairs of one voice


def test_even_random_features_tell_sessions_apart_and_noise_hides_them(speech_data: Path) -> None:
    torch.manual_seed(0)
    model = autodecompose_voice(Objective(SMALL))
    figures = voice_figures(model, speech_data, corpora=["speechocean762"], every=4)
    assert figures.eers[CLEAN] < 45
    assert figures.eers[CLEAN] < figures.eers["ambience at 10 dB"]
    assert 0 <= figures.narrow_false_accepts <= 100
    assert NARROW in figures.eers
