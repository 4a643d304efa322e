"""Conditional generation: the queue of clips, the generator, the inverse of its spectrogram."""

from service.generation.desk import GenerationDesk
from service.generation.generator import GenerationObserver, Generator
from service.generation.inverse import SpectrogramInverse

__all__ = ["GenerationDesk", "GenerationObserver", "Generator", "SpectrogramInverse"]
