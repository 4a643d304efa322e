"""The tables of soak and overload say what was seen."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.load.overload import Overload
from benchmarks.load.page import _overload, _soak
from benchmarks.load.soak import Soak
from benchmarks.load.traffic import Answers
from benchmarks.load.vitals import Vitals, thirds


def test_growth_is_seen() -> None:
    first, last = thirds([Vitals(100.0 + i, 20, 10 + i) for i in range(9)])
    assert (first, last) == (Vitals(101.0, 20, 11), Vitals(107.0, 20, 17))


@pytest.mark.parametrize(
    ("served_s", "refused_s", "verdicts"),
    [
        (0.9, 0.2, ("second: met", "p99: met (1.8 times)")),
        (1.1, 1.2, ("second: missed", "p99: missed (2.2 times)")),
    ],
)
def test_a_missed_goal_is_said(served_s: float, refused_s: float, verdicts: tuple[str, str]) -> None:
    at = Answers(Counter({200: 10}), [0.5] * 10, seconds=1.0)
    beyond = Answers(Counter({200: 10, 429: 5}), [served_s] * 10, [refused_s] * 5, seconds=1.0)
    page = _overload(Overload(at, beyond, at), 1.0)
    assert all(verdict in page for verdict in verdicts)


def test_what_broke_is_counted_and_shown() -> None:
    answers = Answers(
        Counter({200: 9, 503: 2, 500: 1, 0: 1}), [0.1] * 9, first={500: "internal"}, seconds=1.0
    )
    assert answers.broken == 2
    vitals = [Vitals(1.0, 2, 3)]
    page = _soak(Soak(9.0, 0.2, 8.0, answers, Counter(succeeded=3), vitals, vitals), 2.0)
    assert "| 2 | 3 succeeded |" in page.replace("| 2 | 2 |", "| 2 |")
    assert "First answer 500: internal" in page
