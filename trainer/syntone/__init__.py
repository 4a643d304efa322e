"""SynTone (Brima et al. 2024): synthetic tones of known factors, and models that are to find the factors."""

from trainer.syntone.dataset import FACTORS, TIMBRES, SynTone
from trainer.syntone.settings import SETTINGS, SynToneSettings

__all__ = ["FACTORS", "SETTINGS", "TIMBRES", "SynTone", "SynToneSettings"]
