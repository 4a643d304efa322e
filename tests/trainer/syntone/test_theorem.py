from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.syntone.objectives import AutodecomposeVAE, Material
from trainer.syntone.settings import SETTINGS
from trainer.syntone.theorem import theorem


class Everything(nn.Module):
    """An encoder that keeps the whole clip."""

    latents = 4

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), torch.zeros(len(x), 1)


def test_a_view_hides_its_factor_even_from_an_encoder_that_keeps_everything(material: Material) -> None:
    model = AutodecomposeVAE(SETTINGS["autodecompose"])
    model.timbre = model.pitch = Everything()  # type: ignore[assignment]
    known = theorem(model, material)
    timbre, _, frequency = known["E, timbre, view"]
    assert timbre > 0.5
    assert frequency < 0.1
    timbre, _, frequency = known["E', pitch, view"]
    assert timbre < 0.3
    assert frequency > 0.4
    assert known["E, timbre, clip"][2] > 0.4  # the clip itself hides nothing
