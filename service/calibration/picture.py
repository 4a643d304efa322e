"""The error curves as a picture. Pillow only: matplotlib would be ten times as much."""

from __future__ import annotations

import io
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from service.calibration.curves import ErrorCurves

WIDTH, HEIGHT, MARGIN = 880, 520, 64  # pixels
INK, PAPER, GRID = (40, 40, 40), (255, 255, 255), (220, 220, 220)
STRANGERS, OWNERS, CHOSEN = (196, 64, 40), (32, 96, 176), (96, 96, 96)
_STEPS = 5  # of each axis


def draw_curves(curves: ErrorCurves, threshold: float, caption: str) -> bytes:
    """A PNG of both error rates over the threshold, with a line at the threshold that was chosen."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    low, high = float(curves.thresholds[0]), float(curves.thresholds[-1])

    def at(score: float, rate: float) -> tuple[float, float]:
        across = (score - low) / max(high - low, 1e-9)
        return MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - rate * (HEIGHT - 2 * MARGIN)

    for step in range(_STEPS + 1):
        share = step / _STEPS
        score = low + share * (high - low)
        draw.line((*at(low, share), *at(high, share)), fill=GRID)
        draw.line((*at(score, 0), *at(score, 1)), fill=GRID)
        draw.text((12, at(low, share)[1] - 9), f"{100 * share:.0f} %", fill=INK, font=font)
        draw.text((at(score, 0)[0] - 18, HEIGHT - MARGIN + 8), f"{score:.2f}", fill=INK, font=font)
    draw.line((*at(threshold, 0), *at(threshold, 1)), fill=CHOSEN, width=2)
    for rates, colour in ((curves.false_accept, STRANGERS), (curves.false_reject, OWNERS)):
        _curve(draw, [at(s, r) for s, r in zip(curves.thresholds, rates, strict=True)], colour)
    draw.text((MARGIN, 12), caption, fill=INK, font=font)
    draw.text((MARGIN, 36), "strangers accepted", fill=STRANGERS, font=font)
    draw.text((MARGIN + 180, 36), "owners refused", fill=OWNERS, font=font)
    draw.text((WIDTH - MARGIN - 80, HEIGHT - 28), "threshold", fill=INK, font=font)
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return png.getvalue()


def _curve(
    draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    for start, end in pairwise(points):
        draw.line((*start, *end), fill=colour, width=3)
