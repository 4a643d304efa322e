"""The picture of a report: two maps of the recordings, before and after. Pillow only, as a worker has it."""

from __future__ import annotations

import colorsys
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bundle.arrays import Float32, Float64

PANEL, MARGIN, DOT = 480, 48, 5  # pixels
MOST_DOTS = 600  # more are thinned out evenly
INK, PAPER, FRAME = (40, 40, 40), (255, 255, 255), (200, 200, 200)
GOLDEN = 0.618034  # neighbours in the order of voices get colours far apart


def draw_maps(
    before: Float32, after: Float32, voices: NDArray[np.intp], left_out: NDArray[np.bool_], caption: str
) -> bytes:
    """A PNG of recordings as dots: a colour a voice; full where left out, hollow where adapted to.

    Args:
        before, after: (recordings, dim) of unit length, centred as for scoring.
        voices: (recordings,) of each.
    """
    chosen = np.linspace(0, len(before) - 1, min(MOST_DOTS, len(before))).round().astype(int)
    maps = _maps(before[chosen], after[chosen])
    image = Image.new("RGB", (2 * PANEL + 3 * MARGIN, PANEL + 3 * MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    for panel, (title, points) in enumerate(zip(("before", "after"), maps, strict=True)):
        left, top = MARGIN + panel * (PANEL + MARGIN), MARGIN
        draw.rectangle((left, top, left + PANEL, top + PANEL), outline=FRAME)
        draw.text((left, top - 28), title, fill=INK, font=ImageFont.load_default(18))
        for (x, y), voice, full in zip(points, voices[chosen], left_out[chosen], strict=True):
            at = left + (1 + x) * PANEL / 2, top + (1 - y) * PANEL / 2
            colour = _colour(int(voice))
            box = (at[0] - DOT, at[1] - DOT, at[0] + DOT, at[1] + DOT)
            draw.ellipse(box, fill=colour if full else None, outline=colour, width=2)
    draw.text((MARGIN, PANEL + MARGIN + 16), caption, fill=INK, font=ImageFont.load_default(16))
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return png.getvalue()


def _maps(before: Float32, after: Float32) -> tuple[Float64, Float64]:
    """The first two principal components of each (n, 2), in [-1, 1], the second turned like the first."""
    first, second = (_components(vectors) for vectors in (before, after))
    left, _, right = np.linalg.svd(second.T @ first)
    return _scaled(first), _scaled(second @ (left @ right))


def _components(vectors: Float32) -> Float64:
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    components = np.zeros((len(vectors), 2))
    components[:, : len(axes)] = centred @ axes.T
    return components


def _scaled(points: Float64) -> Float64:
    return 0.92 * points / max(float(np.abs(points).max()), 1e-9)


def _colour(voice: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(voice * GOLDEN % 1, 0.3 + 0.2 * (voice % 3) / 2, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)
