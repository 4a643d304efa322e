"""The audio that every voice graph takes."""

from __future__ import annotations

SAMPLE_RATE_HZ = 16_000
CROP_SAMPLES = 16_384  # 64 frames of 256 samples, 1.024 s (Autodecompose, section V-A)
