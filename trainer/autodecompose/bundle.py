"""A trained Autodecompose → the three graphs of its bundle."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.autodecompose.graphs import ContentGraph, DecoderGraph, VoiceGraph
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.bundles.voice import VoiceModel
from trainer.bundles.write import Graph

KIND = "autodecompose"


def autodecompose_voice(objective: Objective) -> VoiceModel:
    """What the export needs of a trained model."""
    objective = objective.eval()

    def represent(waveform: Tensor) -> Tensor:
        return pool(objective.model.E_s(objective.frontend(waveform)))

    return VoiceModel(
        kind=KIND,
        objective=objective,
        settings=replace(objective.settings, freeze_voice=False).to_json(),  # to be trained on as a whole
        acoustics=objective.settings.chain or objective.settings.acoustics,
        represent=represent,
        graphs=lambda whitening, crops: bundle_graphs(
            objective, VoiceGraph(objective, whitening).eval(), crops
        ),
        content={
            "frame_s": objective.frontend.settings.hop / SAMPLE_RATE_HZ,
            "content_dim": objective.settings.width,
        },
    )


def bundle_graphs(objective: Objective, voice: VoiceGraph, crops: Float32) -> list[Graph]:
    """The graphs of a bundle's ONNX files. They are checked on `crops` (n, 16384) of speech."""
    waveform = torch.from_numpy(crops)
    content = ContentGraph(objective).eval()
    with torch.no_grad():
        voice_frames, content_frames = voice(waveform)[1], content(waveform)
    return [
        Graph("voice", voice, {"waveform": waveform}, ("embedding", "frames")),
        Graph("content", content, {"waveform": waveform}, ("frames",)),
        Graph(
            "decoder",
            DecoderGraph(objective).eval(),
            {"voice_frames": voice_frames, "content_frames": content_frames},
            ("mel",),
        ),
    ]
