"""SynTone (Brima et al. 2024): synthetic tones of known factors, and the models meant to find them.

`dataset` makes the tones, `features` their spectrograms. `terms`, `networks` and `objectives` are the models;
`train` trains one, `measure` compares its codes with the factors.
"""

from trainer.syntone.dataset import FACTORS, TIMBRES, SynTone
from trainer.syntone.settings import SETTINGS, SynToneSettings

__all__ = ["FACTORS", "SETTINGS", "TIMBRES", "SynTone", "SynToneSettings"]
