from __future__ import annotations

import numpy as np
import pytest

from trainer.corpora.silence import is_silent, trim_silence

RATE_HZ = 16_000


def test_edges_go_and_pauses_stay() -> None:
    noise = np.random.default_rng(0).normal(size=3 * RATE_HZ).astype(np.float32)
    noise[: RATE_HZ // 2] *= 1e-3  # half a second of hum, a word, a pause, a word, a second of hum
    noise[RATE_HZ : RATE_HZ + RATE_HZ // 2] *= 1e-3
    noise[2 * RATE_HZ :] *= 1e-3
    trimmed = trim_silence(noise)
    assert trimmed.size == pytest.approx((1.5 + 2 * 0.15) * RATE_HZ, abs=RATE_HZ // 50)
    assert np.array_equal(trimmed, noise[round(0.35 * RATE_HZ) : round(0.35 * RATE_HZ) + trimmed.size])


@pytest.mark.parametrize("size", [0, 1, 100, RATE_HZ])
def test_nothing_loud_is_left_as_it_is(size: int) -> None:
    silence = np.zeros(size, np.float32)
    assert is_silent(silence)
    assert trim_silence(silence).size == size
