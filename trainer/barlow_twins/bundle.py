"""A trained Barlow Twins → its voice graph, and a bundle of it: no content encoder, no decoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor

from trainer.barlow_twins.networks import ResNet
from trainer.barlow_twins.objective import BarlowTwins
from trainer.data import Clip
from trainer.export import Graph
from trainer.frontends import LogSpectrogram
from trainer.voice_bundle import VoiceModel, WhitenedVoice, export_voice_bundle
from trainer.whitening import Whitening


class VoiceGraph(WhitenedVoice):
    """Waveform (batch, 16384) → unit embedding (batch, features) of its middle second."""

    def __init__(self, objective: BarlowTwins, whitening: Whitening) -> None:
        super().__init__(whitening)
        self.frontend: LogSpectrogram = objective.frontend
        self.backbone: ResNet = objective.backbone

    def forward(self, waveform: Tensor) -> Tensor:
        return self.embedding(self.backbone(self.frontend(waveform)))


def export_barlow_twins(
    objective: BarlowTwins,
    clips: Sequence[Clip],
    folder: Path,
    *,
    training: dict[str, Any],
    parent: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Writes the bundle; arguments and errors are those of `export_voice_bundle`.

    The voice is the backbone's representation, as in the paper's later tasks; the projector is kept among
    the weights only.
    """
    objective = objective.eval()

    def represent(waveform: Tensor) -> Tensor:
        representation: Tensor = objective.backbone(objective.spectrograms(waveform))
        return representation

    model = VoiceModel(
        kind="barlow_twins",
        objective=objective,
        settings=objective.settings.to_json(),
        represent=represent,
        graphs=lambda whitening, crops: [
            Graph(
                "voice",
                VoiceGraph(objective, whitening).eval(),
                {"waveform": torch.from_numpy(crops)},
                ("embedding",),
            )
        ],
    )
    export_voice_bundle(model, clips, folder, training=training, parent=parent, progress=progress)
