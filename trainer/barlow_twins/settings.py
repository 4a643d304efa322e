"""Every hyper-parameter of Barlow Twins for speech."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from trainer.audio.acoustics import AcousticSettings
from trainer.training.settings import tuples


@dataclass(frozen=True)
class BarlowTwinsSettings:
    """Two CPU cores can train the defaults. The preset `paper` is section 2.3's."""

    # Backbone
    depth: int = 18  # ResNet-18 or ResNet-50
    width: int = 16  # channels of the first stage; the original networks have 64

    # Projector: Linear–BN–ReLU twice, then a linear layer to the latent
    projector_width: int = 512
    latent: int = 128  # m, 16 to 2048 in Table 3

    # Objective, equations 1 and 2
    lambd: float = 0.005
    normalise: str = "original"  # trainer.barlow_twins.objective.NORMALISERS: original, ln, bn or bn_ln
    positives: str = "crop"  # two views of one crop, as in the paper; "recording": of two of its crops
    same_voice_seconds: float = 0.0  # "recording": the two crops start at most this far apart; 0: anywhere

    # Optimisation
    epochs: int = 12
    batch: int = 64
    peak_rate: float = 1e-3  # Adam, one cycle: up for `warm_up` of the steps, then cosine to 0
    warm_up: float = 0.1
    constant_rate: bool = False
    mixed_precision: bool = True  # bf16 where the device has it
    seed: int = 0
    checkpoint_steps: int = 100  # a killed run loses at most this many

    # The random channel of each view
    acoustics: AcousticSettings = field(default_factory=AcousticSettings)

    @property
    def clusters(self) -> int:
        return 0  # pseudo-speakers are Autodecompose's

    def counts(self) -> dict[str, int]:
        return {}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> BarlowTwinsSettings:
        acoustics = AcousticSettings(**tuples(values["acoustics"]))
        return cls(**{**values, "acoustics": acoustics})


PRESETS = {
    "small": BarlowTwinsSettings(),
    "paper": BarlowTwinsSettings(depth=50, width=64, projector_width=2048, latent=2048, epochs=50),
}
