"""Forced alignment: a recording and its transcript → when each phone is spoken."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from bundle.arrays import Float32

FRAME_S = 0.01  # of the aligner
SILENCE = "SIL"


class AlignerMissingError(Exception):
    """The aligner's package is not installed."""


@dataclass(frozen=True)
class PhoneSegment:
    phone: str  # ARPAbet without stress; "SIL" is silence
    start_s: float
    end_s: float


def require_aligner() -> None:
    """Raises AlignerMissingError: there is no pocketsphinx."""
    if find_spec("pocketsphinx") is None:
        raise AlignerMissingError(
            "Phonemes need pocketsphinx, of the `train` extra: pip install 'pocketsphinx>=5'."
        )


class Aligner:
    """pocketsphinx with the English model and dictionary that it carries."""

    def __init__(self) -> None:
        require_aligner()
        from pocketsphinx import Decoder  # reads 30 MB of models: only when something is aligned

        self.decoder = Decoder(lm=None, loglevel="FATAL")

    def align(self, samples: Float32, text: str) -> list[PhoneSegment] | None:
        """Phones in order of time, without gaps; None where the transcript does not fit the recording.

        Args:
            samples: (samples,) at 16 kHz.
            text: words, as they are spoken.
        """
        pcm = (np.clip(samples, -1, 32767 / 32768) * 32768).astype("<i2").tobytes()
        try:
            self.decoder.set_align_text(text.lower())  # first the words …
            self._decode(pcm)
            if self.decoder.hyp() is None:
                return None
            self.decoder.set_alignment()  # … then the phones in them
            self._decode(pcm)
        except RuntimeError:  # a word that the dictionary lacks, or no path through the recording
            return None
        alignment = self.decoder.get_alignment()
        if alignment is None:
            return None
        return [
            PhoneSegment(phone.name, phone.start * FRAME_S, (phone.start + phone.duration) * FRAME_S)
            for word in alignment
            for phone in word
        ]

    def _decode(self, pcm: bytes) -> None:
        self.decoder.start_utt()
        try:
            self.decoder.process_raw(pcm, full_utt=True)
        finally:
            self.decoder.end_utt()
