"""Every hyper-parameter of our ECAPA-TDNN."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from trainer.audio.acoustics import AcousticSettings
from trainer.training.settings import tuples


@dataclass(frozen=True)
class EcapaSettings:
    """Section 4.2's numbers, with a quarter to a half of its channels, so that two CPU cores train it."""

    # Network
    frontend: str = "wide"  # trainer.audio.frontends.FRONTENDS
    channels: int = 256  # C; 512 or 1024 in the paper
    res2_scale: int = 8
    bottleneck: int = 128  # of the squeeze-excitation and the attention
    width: int = 192  # of the embedding

    # AAM-softmax
    margin: float = 0.2  # m, radians
    scale: float = 30.0  # s

    # Optimisation
    epochs: int = 12
    batch: int = 32  # recordings, two crops of each
    peak_rate: float = 1e-3  # Adam, one cycle
    warm_up: float = 0.2
    constant_rate: bool = False
    mixed_precision: bool = True
    seed: int = 0
    checkpoint_steps: int = 200

    # Data
    acoustics: AcousticSettings | None = field(default_factory=AcousticSettings)  # None: as recorded

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> EcapaSettings:
        acoustics = values["acoustics"]
        if acoustics is not None:
            acoustics = AcousticSettings(**tuples(acoustics))
        return cls(**{**values, "acoustics": acoustics})
