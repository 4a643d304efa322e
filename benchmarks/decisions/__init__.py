"""How far decisions can be trusted: error rates and calibration by condition, ours beside the peer's."""

from benchmarks.decisions.page import decisions_page

__all__ = ["decisions_page"]
