from __future__ import annotations

from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.vectors import unit
from trainer.scoring.space_map import fit_space_map

DIM = 16


def spaces(crops: int, noise: float, seed: int = 0) -> tuple[Float32, Float32]:
    """Embeddings of the same crops under two models: turned, shifted, and with noise of their own."""
    rng = np.random.default_rng(seed)
    turn = np.eye(DIM) + 0.3 * np.random.default_rng(1).normal(size=(DIM, DIM))
    old = unit(rng.normal(size=(crops, DIM)).astype(np.float32))
    return old, unit((old @ turn + 0.2 + noise * rng.normal(size=old.shape)).astype(np.float32))


def test_a_linear_change_is_found() -> None:
    mean = np.zeros(DIM)
    fitted = fit_space_map(*spaces(400, 0.01), *spaces(100, 0.01, seed=2), mean)
    assert fitted.error < 0.05 < fitted.unmapped_error
    old, new = spaces(50, 0.0, seed=3)
    assert np.sum(fitted(old) * new, axis=1).mean() > 0.95
    np.testing.assert_allclose(np.linalg.norm(fitted(old), axis=1), 1, rtol=1e-5)


def test_little_audio_changes_little_and_does_no_harm() -> None:
    fitted = fit_space_map(*spaces(4, 0.5), *spaces(100, 0.5, seed=2), np.zeros(DIM))
    assert fitted.error <= fitted.unmapped_error + 0.05
    alone = fit_space_map(*spaces(1, 0.5), *spaces(100, 0.5, seed=2), np.zeros(DIM))
    np.testing.assert_allclose(alone.table[:-1], np.eye(DIM), atol=0.05)


def test_the_file_is_plain_numpy(tmp_path: Path) -> None:
    fitted = fit_space_map(*spaces(40, 0.1), *spaces(10, 0.1, seed=2), np.zeros(DIM))
    fitted.save(tmp_path / "map.npy")
    table = np.load(tmp_path / "map.npy", allow_pickle=False)
    assert (table.dtype, table.shape) == (np.float32, (DIM + 1, DIM))
    assert np.array_equal(table, fitted.table)
