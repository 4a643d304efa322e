"""A12: recordings as they were made, and the same ones through the codec of all training speech.

Originals are too large for the repository. `python -m benchmarks conditions --originals FOLDER` has measured
them; the newest model is the first of its table.
"""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "results" / "conditions.md"


@pytest.fixture(scope="module")
def eers() -> dict[str, float]:
    """EER of the newest model in each row, per cent."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {row[0]: float(row[1].split()[0]) for row in rows if row[1].endswith(")")}


@pytest.mark.parametrize("corpus", ["librispeech", "speechocean762"])
def test_a12_originals_are_told_apart_as_well_as_opus(eers: dict[str, float], corpus: str) -> None:
    """4.9 became 7.0 % while a model knew nothing but Opus."""
    opus, original = (eers[f"{corpus}, {row}"] for row in ("as recorded", "original recordings, both sides"))
    assert original <= 1.1 * opus + 0.3
