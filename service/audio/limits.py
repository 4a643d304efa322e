"""Limits on the audio that the service accepts, and the sample rate it works at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AudioLimits:
    """Bounds on one file, all inclusive. `decode` enforces them."""

    max_bytes: int = 64 * 1024 * 1024  # encoded, as sent
    max_seconds: float = 600.0  # decoded, at the source's own rate
    min_rate_hz: int = 8_000
    max_rate_hz: int = 192_000
    max_channels: int = 8
