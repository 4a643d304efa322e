"""Conditional generation: audio for a label.

`desk` queues requests, `generator` runs a bundle's networks, `inverse` makes audio from their spectrogram,
with the phase from `pghi`.
"""

from service.generation.desk import GenerationDesk
from service.generation.generator import GenerationObserver, Generator
from service.generation.inverse import SpectrogramInverse

__all__ = ["GenerationDesk", "GenerationObserver", "Generator", "SpectrogramInverse"]
