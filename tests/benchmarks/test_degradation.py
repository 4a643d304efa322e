"""The table of treatments: what is counted, and that its goals name rows there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="treatments need the `train` extra")

from benchmarks.degradation import treatments as module
from benchmarks.degradation.treatments import GOAL_HOLDS, PLAIN, treatments
from benchmarks.degradation.trials import PROBES, Voice, row
from bundle.arrays import Float32


class Cosine:
    """A scorer whose threshold is one half."""

    def score(self, a: Float32, b: Float32) -> float:
        return float(a @ b)

    def threshold(self, target_fpr: float, *, seconds: float, narrow: bool) -> float:
        assert (target_fpr, seconds, narrow) == (0.01, 6.0, False)
        return 0.5


def voice(*numbers: float) -> Voice:
    return Voice(np.array(numbers, np.float32), 6.0, warned=numbers[0] == 0)


def test_owners_and_strangers_are_counted() -> None:
    first, second = voice(1, 0), voice(0, 1)
    probes = [*[first] * PROBES, *[second] * (PROBES - 1), None]
    plain = [first, second], [*[first] * PROBES, *[second] * PROBES]
    counts = row(Cosine(), plain, ([second, first], probes))
    assert counts.itself == 1.0
    assert (counts.own, counts.strangers) == (5, 0)
    assert (counts.own_both, counts.strangers_both) == (0, 5), "enrolled the wrong way round"
    assert (counts.warned, counts.lost) == (2, 1)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, module.Treatment]:
    nothing: Callable[[list[Float32]], list[Float32]] = list
    monkeypatch.setattr(module, "degradations", lambda _: dict.fromkeys(module._FROM_CONDITIONS, nothing))
    return treatments(tmp_path)


def test_goals_name_rows(rows: dict[str, module.Treatment]) -> None:
    assert set(GOAL_HOLDS) <= set(rows)
    assert len(rows) >= 39
    assert next(iter(rows)) == PLAIN


def test_treatments_do_what_they_say(rows: dict[str, module.Treatment]) -> None:
    samples = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)

    def treated(name: str) -> tuple[int, Float32]:
        rate, (one,) = rows[name]([samples])
        return rate, one

    assert treated("−20 dB")[1].std() == pytest.approx(0.1 * samples.std(), rel=0.01)
    assert treated("+20 dB, clipped")[1].max() == pytest.approx(1.0, abs=1e-3)
    assert treated("offset of 0.4")[1].mean() == pytest.approx(0.4, abs=0.01)
    assert treated("48 kHz")[0] == 48_000
    assert treated("stereo, turned over")[1].shape == (16_000, 2)
    wall = np.abs(np.fft.rfft(treated("300 to 3400 Hz, brick wall")[1]))
    assert wall[3500:].max() < 1e-2 * wall[1000:3000].max()
