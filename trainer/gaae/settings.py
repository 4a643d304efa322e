"""Every hyper-parameter of GAAE."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from trainer.gaae.spectrogram import SpectrogramSettings
from trainer.training.settings import tuples


@dataclass(frozen=True)
class GaaeSettings:
    """Defaults are the paper's (section V and appendix A). `PRESETS` has smaller ones."""

    # Input
    spectrogram: SpectrogramSettings = field(default_factory=SpectrogramSettings)

    # Networks: channels are multiples of ch
    channels: int = 16  # ch
    decoder: tuple[int, ...] = (16, 16, 16, 16, 16, 16, 1)  # the 4 × 2 start, then each upsampling block
    encoder: tuple[int, ...] = (1, 1, 2, 4, 8, 16)  # of each downsampling block, in E and S alike
    attention: bool = True  # at half the spectrogram's height and width
    fold: int = 1  # squares of this side become channels: a CPU need not compute the finest resolutions
    latent_dim: int = 128  # of z and z'
    guided_dim: int = 128  # of the representation that C reads

    # Objective, equation 6
    alpha: float = 0.5  # of generation and reconstruction
    beta: float = 0.5  # of classification and the latent's distribution
    lambd: float = 20.0  # λ
    omega_1: float = 0.6  # G_loss
    omega_2: float = 0.4  # R_loss
    omega_3: float = 0.25  # Cl_loss
    omega_4: float = 0.25  # Cg_loss
    omega_5: float = 0.5  # L_loss
    degrade: bool = False  # augments what C learns from, as for the paper's supervised classifier
    prior_share: float = 0.0  # share of x̂_g whose latent is drawn from p_z; the paper encodes all from x_u

    # Optimisation, Algorithm 1
    k: int = 2  # updates of the discriminators in one iteration
    iterations: int = 60_000
    batch: int = 128  # m, of x_u
    labelled_batch: int = 128  # of x_l
    accumulate: int = 1  # parts of a batch that go through one after the other; batch norm sees a part
    recompute: bool = False  # blocks keep their inputs alone for the backward pass: a third more time
    rate: float = 5e-5  # Adam, of E, D and C
    discriminator_rate: float = 2e-4  # Adam, of S and L
    average: float = 0.999  # decay of the weight average that is exported
    average_from: int = 1000  # up to this iteration the average equals the weights
    mixed_precision: bool = True  # bf16 where the device has it
    seed: int = 0
    checkpoint_steps: int = 500  # a killed run loses at most this many

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> GaaeSettings:
        return cls(**{**tuples(values), "spectrogram": SpectrogramSettings(**values["spectrogram"])})


PRESETS = {
    # For one processor core: trainer/reproduce/gaae/scale.py has the time of an iteration.
    "small": GaaeSettings(
        spectrogram=SpectrogramSettings(
            sample_rate_hz=8000, window=256, hop=128, bins=128, frames=64, window_shape="hann"
        ),
        decoder=(8, 8, 4, 2, 1),
        encoder=(1, 2, 4, 8),
        attention=False,
        fold=2,
        # With the paper's weights C learns little in few iterations: reconstruction dominates E.
        alpha=0.2,
        beta=0.8,
        omega_3=0.6,
        omega_4=0.25,
        omega_5=0.15,
        degrade=True,  # otherwise C soon knows the few labelled clips by heart
        prior_share=0.5,
        batch=16,
        labelled_batch=16,
        rate=2e-4,  # the paper's 5e-5 is for batches of 128; with 16, S would win too early
    ),
    # The paper's, with fewer channels at the decoder's costly fine resolutions.
    "tapered": GaaeSettings(
        spectrogram=SpectrogramSettings(window_shape="hann"), decoder=(16, 16, 16, 8, 4, 2, 1)
    ),
    # At most 26 GB of tensors in bf16; 15 with `recompute`, 7 with `accumulate` of 4 (test_memory.py counts).
    "paper": GaaeSettings(),
}
