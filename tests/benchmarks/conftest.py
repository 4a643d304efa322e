from __future__ import annotations

from tests.trainer.conftest import small_corpora, tiny_bundle, tones, write_tone

__all__ = ["small_corpora", "tiny_bundle", "tones", "write_tone"]
