from __future__ import annotations

import numpy as np

from bundle.vectors import mean_and_deviation, pool_utterance, unit


def test_rows_get_unit_length_and_zero_rows_stay() -> None:
    rows = np.array([[3, 4], [0, 0], [1e-30, 0]], np.float32)
    np.testing.assert_allclose(unit(rows), np.array([[0.6, 0.8], [0, 0], [1e-30, 0]]), rtol=1e-6)
    assert unit(rows.astype(np.float64)).dtype == np.float32
    np.testing.assert_allclose(unit(rows[0]), [0.6, 0.8], rtol=1e-6)


def test_an_utterance_is_the_mean_of_its_crops() -> None:
    np.testing.assert_allclose(pool_utterance(np.eye(2, dtype=np.float32)), [2**-0.5] * 2, rtol=1e-6)


def test_crops_that_cancel_leave_no_nan() -> None:
    assert np.isfinite(pool_utterance(np.array([[1, 0], [-1, 0]], np.float32))).all()


def test_frames_are_pooled_over_time() -> None:
    frames = np.array([[[1, 5], [3, 5]]], np.float32)  # (1 crop, 2 frames, 2)
    np.testing.assert_allclose(mean_and_deviation(frames), [[2, 5, 1, 0]])
