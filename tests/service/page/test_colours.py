"""Colours of voices, as people see them who lack a kind of cone.

Matrices of full dichromacy: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of
Color Vision Deficiency" (2009), for linear RGB. The distance is that of CIELAB (1976).
"""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from bundle.arrays import Float64
from service.page import files

SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = RGB_TO_XYZ.sum(axis=1)
LEAST = 10.0  # about 2.3 can just be told apart, side by side


def colours(theme: int) -> dict[str, Float64]:
    """The colours of voices, RGB from 0 to 1: `theme` 0 is light, 1 dark."""
    css = (Path(files.__file__).parent / "static/style.css").read_text()
    pairs = re.findall(r"--(voice-\d): light-dark\(#(\w{6}), #(\w{6})\)", css)
    return {name: np.array(list(bytes.fromhex(pair[theme]))) / 255 for name, *pair in pairs}


def lab(rgb: Float64, sight: Float64) -> Float64:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(RGB_TO_XYZ @ np.clip(sight @ linear, 0, 1) / WHITE + 1e-4)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_are_told_apart(sight: str, theme: int) -> None:
    seen = {name: lab(rgb, SIGHT[sight]) for name, rgb in colours(theme).items()}
    assert len(seen) == 6
    distances = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)}
    assert {pair: distance for pair, distance in distances.items() if distance < LEAST} == {}
