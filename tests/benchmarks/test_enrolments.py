"""The faults of enrolments: what each is made of, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="conditions need the `train` extra")

from benchmarks.enrolments import trials
from benchmarks.enrolments.judge import Verdict
from benchmarks.enrolments.material import Person
from benchmarks.enrolments.page import _at_one_false, _counts
from benchmarks.enrolments.trials import Kind, with_strangers

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def people() -> list[Person]:
    """Each says its number, for half a minute."""
    return [Person(np.full(30 * RATE_HZ, number, np.float32)) for number in range(1, 6)]


def test_nobody_is_a_stranger_to_oneself(people: list[Person]) -> None:
    pairs = list(with_strangers(people, 10))
    assert len(pairs) == len(set(pairs)) == 10
    assert all(a is not b for a, b in pairs)
    assert len(list(with_strangers(people, 1000))) == 20, "each with all others"


def test_two_voices_are_in_each_mixed_file(people: list[Person]) -> None:
    for make in (trials._two_halves, trials._interrupted, trials._turns):
        for (file,) in make(people):
            assert len(file) == 16 * RATE_HZ
            assert len(np.unique(file)) == 2


def test_a_strangers_file_comes_last(people: list[Person]) -> None:
    for make, files in ((trials._stranger, 2), (trials._short_stranger, 2), (trials._third_file, 3)):
        for enrolment in make(people):
            voices = [file[0] for file in enrolment]
            assert len(enrolment) == files
            assert len(set(voices[:-1])) == 1
            assert voices[-1] != voices[0]


def test_what_is_found_is_counted() -> None:
    def verdicts(*odds: float) -> list[dict[str, Verdict]]:
        return [
            {"m": Verdict(frozenset({"two_voices"} if value < 0 else {"too_short"}), value)} for value in odds
        ]

    kind = Kind("mixed", ("two_voices",), True, lambda _: iter(()))
    faulty = verdicts(-2, -1, 1, 3)
    assert _counts(kind, faulty, "m") == "2 of 4"
    clean = {"librispeech": verdicts(*np.linspace(2, 4, 101)), "speechocean762": []}
    assert _at_one_false({"one file of 12 s": clean}, faulty, kind, "m") == 75.0, "below 2.02"
