"""The Autodecompose paper's section V with our corpora → docs/results/autodecompose.md."""

from trainer.reproduce.autodecompose.page import PARTS, reproduce_autodecompose
from trainer.reproduce.autodecompose.settings import SCALES

__all__ = ["PARTS", "SCALES", "reproduce_autodecompose"]
