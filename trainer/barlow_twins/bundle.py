"""A trained Barlow Twins → the voice graph of its bundle. It has no content encoder and no decoder."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.audio.frontends import LogSpectrogram
from trainer.barlow_twins.networks import ResNet
from trainer.barlow_twins.objective import BarlowTwins
from trainer.bundles.voice import VoiceModel, WhitenedVoice
from trainer.bundles.write import Graph
from trainer.scoring.whitening import Whitening


class BarlowTwinsVoiceGraph(WhitenedVoice):
    """Waveform (batch, 16384) → unit embedding (batch, features) of its middle second."""

    def __init__(self, objective: BarlowTwins, whitening: Whitening) -> None:
        super().__init__(whitening)
        self.frontend: LogSpectrogram = objective.frontend
        self.backbone: ResNet = objective.backbone

    def forward(self, waveform: Tensor) -> Tensor:
        return self.embedding(self.backbone(self.frontend(waveform)))


def barlow_twins_voice(objective: BarlowTwins) -> VoiceModel:
    """What the export needs of a trained model.

    The voice is the backbone's representation, as in the paper's later tasks. Only the weights file holds the
    projector.
    """
    objective = objective.eval()

    def represent(waveform: Tensor) -> Tensor:
        representation: Tensor = objective.backbone(objective.spectrograms(waveform))
        return representation

    return VoiceModel(
        kind="barlow_twins",
        objective=objective,
        settings=objective.settings.to_json(),
        acoustics=objective.settings.acoustics,
        represent=represent,
        graphs=lambda whitening, crops: [
            Graph(
                "voice",
                BarlowTwinsVoiceGraph(objective, whitening).eval(),
                {"waveform": torch.from_numpy(crops)},
                ("embedding",),
            )
        ],
    )
