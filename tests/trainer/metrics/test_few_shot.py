from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.arrays import Float64
from trainer.metrics import few_shot, labelled_crops


def clusters(counts: list[int], spread: float, seed: int = 0) -> tuple[Float64, NDArray[np.str_]]:
    """Crops of `len(counts)` speakers around random centres in 16 dimensions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(counts), 16))
    speakers = np.repeat([f"s{i}" for i in range(len(counts))], counts)
    return np.repeat(centres, counts, axis=0) + spread * rng.normal(size=(sum(counts), 16)), speakers


def test_separable_speakers_score_100_and_random_ones_chance() -> None:
    easy = few_shot(*clusters([40] * 5, spread=0.05), seconds=[10])[10]
    assert (easy.f1, easy.std, easy.runs, easy.speakers) == (100.0, 0.0, 10, 5)
    rng = np.random.default_rng(1)
    noise = few_shot(rng.normal(size=(1000, 16)), np.repeat(np.arange(5), 200), seconds=[10])[10]
    assert 12 < noise.f1 < 28  # chance is 20
    assert noise.std > 0


def test_more_labelled_speech_helps_and_every_draw_differs() -> None:
    results = few_shot(*clusters([150] * 8, spread=1.5), seconds=[10, 60])
    assert results[60].f1 > results[10].f1
    assert results[10].std > 0


def test_same_seed_same_figures() -> None:
    data = clusters([30] * 4, spread=1.5)
    assert few_shot(*data, seconds=[10], seed=3) == few_shot(*data, seconds=[10], seed=3)
    assert few_shot(*data, seconds=[10], seed=3) != few_shot(*data, seconds=[10], seed=4)


def test_speakers_with_too_little_audio_are_left_out_and_counted() -> None:
    # 10 s are 10 crops: a speaker needs 11 to have one left to test on.
    features, speakers = clusters([40, 40, 10, 11], spread=0.05)
    results = few_shot(features, speakers, seconds=[10, 30, 60])
    assert results[10].speakers == 3
    assert results[30].speakers == 2
    assert 60 not in results


def test_labelled_crops_rounds_to_the_nearest_crop() -> None:
    assert [labelled_crops(k) for k in (1, 10, 15, 30, 60, 120)] == [1, 10, 15, 29, 59, 117]


def test_progress_is_told_of_every_draw() -> None:
    seen: list[int] = []
    few_shot(*clusters([20] * 3, spread=0.1), seconds=[10], draws=4, on_draw=lambda: seen.append(1))
    assert len(seen) == 4


def test_wrong_shapes_and_nan_are_refused() -> None:
    with pytest.raises(ValueError, match="one speaker a row"):
        few_shot(np.zeros((3, 2)), ["a", "b"])
    with pytest.raises(ValueError, match="NaN"):
        few_shot(np.full((2, 2), np.nan), ["a", "b"])
