"""A file that is being decoded, whatever reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bundle.arrays import Float32


@dataclass(frozen=True, eq=False)
class Source:
    """One track of audio, block by block."""

    codec: str  # FFmpeg's name of it: "opus", "pcm_s16le"
    rate_hz: int
    channels: int
    declared: (
        int | None
    )  # samples a channel, by the header; None where it does not say, or is not to be trusted
    blocks: Iterator[Float32]  # (n, channels), in file order, of any n
    tracks: int = 1  # of audio in the file; the others are not read
