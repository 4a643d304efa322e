from __future__ import annotations

import numpy as np

from bundle.arrays import Float32
from bundle.vectors import unit
from trainer.scoring.space_map import HeldVoices, fit_space_map

DIM = 16


def spaces(crops: int, noise: float, seed: int = 0) -> tuple[Float32, Float32]:
    """Embeddings of the same crops under two models: turned, shifted, and with noise of their own."""
    rng = np.random.default_rng(seed)
    turn = np.eye(DIM) + 0.3 * np.random.default_rng(1).normal(size=(DIM, DIM))
    old = unit(rng.normal(size=(crops, DIM)).astype(np.float32))
    return old, unit((old @ turn + 0.2 + noise * rng.normal(size=old.shape)).astype(np.float32))


def held(crops: int, noise: float) -> HeldVoices:
    return HeldVoices(*spaces(crops, noise, seed=2), np.zeros(DIM), np.zeros(DIM))


def test_a_linear_change_is_found_and_undone() -> None:
    fitted = fit_space_map(*spaces(400, 0.01), held(100, 0.01))
    assert fitted.error < 0.05 < fitted.unmapped_error
    assert fitted.inverse_error < 0.5 * fitted.unmapped_error  # lengths are lost on the way
    old, new = spaces(50, 0.0, seed=3)
    assert np.sum(fitted(old) * new, axis=1).mean() > 0.95
    np.testing.assert_allclose(np.linalg.norm(fitted(old), axis=1), 1, rtol=1e-5)


def test_little_audio_changes_little_and_does_no_harm() -> None:
    fitted = fit_space_map(*spaces(4, 0.5), held(100, 0.5))
    assert fitted.error <= fitted.unmapped_error + 0.05
    alone = fit_space_map(*spaces(1, 0.5), held(100, 0.5))
    np.testing.assert_allclose(alone.table[:-1], np.eye(DIM), atol=0.05)
