"""The peers that ours are measured beside."""

from trainer.resemblyzer import PeerMissingError, Resemblyzer

__all__ = ["PeerMissingError", "Resemblyzer"]
