"""Every hyper-parameter of Autodecompose's training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trainer.audio.acoustics import AcousticSettings
from trainer.audio.chain import ChainSettings
from trainer.autodecompose.augment import AugmentSettings
from trainer.training.settings import tuples

# Two crops in five are left without noise. Band limits are sharp: 8 kHz recordings hold nothing above 4 kHz.
CHANNELS = AcousticSettings(
    noise_probability=0.6,
    noise_snr_db=(0.0, 25.0),
    band_probability=0.3,
    band_high_hz=(3400.0, 6000.0),
    band_order=32,
)


@dataclass(frozen=True)
class TrainSettings:
    """Defaults are the shipped model's. The paper's own objective and front-end are the preset `paper`."""

    # Model
    frontend: str = "wide"  # trainer.audio.frontends.FRONTENDS
    encoder: str = "fast"  # trainer.autodecompose.networks.ENCODERS
    decoder: str = "fast"  # trainer.autodecompose.networks.DECODERS
    content_norm: str = "instance"  # trainer.autodecompose.networks.NORMS; "batch" is the paper's
    width: int = 128  # of a frame of either encoder

    # Objective: mse_weight · MSE + bt_weight · Barlow Twins (+ margin_weight · angular margin, with
    # clusters). bt_weight 0 is the paper's.
    mse_weight: float = 100.0
    bt_weight: float = 0.02
    bt_lambda: float = 0.005
    bt_width: int = 512  # of the projector
    clusters: int = 0  # most pseudo-speakers, as the run that one starts from hears them; 0: none
    cluster_counts: str = ""  # those of single corpora, where they are given: "common_voice:2000,crowd:200"
    margin_weight: float = 1.0  # of the angular margin loss over pseudo-speakers
    margin: float = 0.2  # radians
    margin_scale: float = 30.0
    freeze_voice: bool = False  # E_s stays as it began; only content encoder and decoder learn
    same_voice_seconds: float = 0.0  # two crops are one voice only this near; 0: anywhere in the recording

    # Optimisation
    epochs: int = 14
    batch: int = 64
    peak_rate: float = 1e-3  # Adam, one cycle: up for `warm_up` of the steps, then cosine to 0
    warm_up: float = 0.2
    constant_rate: bool = False  # the paper's plain Adam
    mixed_precision: bool = True  # bf16 where the device has it
    seed: int = 0
    checkpoint_steps: int = 200  # a killed run loses at most this many

    # Data
    acoustics: AcousticSettings | None = field(default_factory=lambda: CHANNELS)  # None: as recorded
    chain: ChainSettings | None = None  # instead of `acoustics`
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    def counts(self) -> dict[str, int]:
        """`cluster_counts` by corpus. Raises ValueError where it cannot be read."""
        pairs = [part.rpartition(":") for part in self.cluster_counts.split(",") if part]
        if unread := [count for _, _, count in pairs if not count.isdecimal()]:
            raise ValueError(
                f"cluster_counts reads corpus:count, with commas between; {unread[0]!r} is no count."
            )
        return {corpus: int(count) for corpus, _, count in pairs}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainSettings:
        values = {"content_norm": "batch", **values}  # the only one there was in older cards
        if values.get("acoustics") is not None:
            values["acoustics"] = AcousticSettings(**tuples(values["acoustics"]))
        if values.get("chain") is not None:
            values["chain"] = ChainSettings(**tuples(values["chain"]))
        values["augment"] = AugmentSettings(**tuples(values["augment"]))
        return cls(**values)


VOICE = TrainSettings(
    frontend="relative",
    mse_weight=0.0,
    epochs=14,
    batch=128,
    peak_rate=1.5e-3,
    warm_up=0.1,
    checkpoint_steps=50,
    acoustics=None,
    chain=ChainSettings(),
    augment=AugmentSettings(pivots=(0, 0)),
)

# From `voice` on: crops of two recordings of a pseudo-speaker, and which of the pseudo-speakers it is.
CLUSTERS = replace(VOICE, clusters=2000, epochs=8, peak_rate=1e-3)

PRESETS = {
    "fast": TrainSettings(),
    # The voice alone: Barlow Twins on two crops of a recording, each through a chain of its own.
    "voice": VOICE,
    "clusters": CLUSTERS,
    # Content encoder and decoder for a voice encoder that is done; the projector follows, for fine-tuning.
    "content": replace(VOICE, freeze_voice=True, mse_weight=100.0, epochs=2, augment=AugmentSettings()),
    # Section V: the large networks, plain reconstruction, Adam 1e-3, batch 32, 500 epochs.
    "paper": TrainSettings(
        frontend="paper",
        encoder="large",
        decoder="large",
        content_norm="batch",
        bt_weight=0.0,
        epochs=500,
        batch=32,
        constant_rate=True,
        acoustics=None,
    ),
    # Section V-C3: the overfitting test.
    "very_large": TrainSettings(
        frontend="paper",
        encoder="very_large",
        decoder="very_large",
        content_norm="batch",
        width=1024,
        bt_weight=0.0,
        epochs=5000,
        batch=32,
        constant_rate=True,
        acoustics=None,
    ),
}
