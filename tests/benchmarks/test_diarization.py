"""Made conversations, and the errors that are counted on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.diarization.conversations import make_conversations, read_people
from benchmarks.diarization.errors import Said, error_rates, overlap_rates
from service.audio import Region, SpeechDetector
from service.diarization import Turn


def test_a_conversation_has_speech_where_its_reference_says_so(examples: Path) -> None:
    people = read_people(examples, "test", SpeechDetector(), least_s=10.0)
    first, *_ = make_conversations(people, 2, seed=0)
    assert len({name for name, _ in first.turns}) == 2
    assert len(first.enrolled) == 1
    inside = 0.0
    for _, region in first.turns:
        samples = first.samples[round(region.start_s * 16_000) : round(region.end_s * 16_000)]
        assert len(samples) == pytest.approx((region.end_s - region.start_s) * 16_000, abs=2)
        inside += float((samples**2).sum())
    assert inside > 0.95 * float((first.samples**2).sum())


def test_errors_of_a_conversation_that_was_read_off() -> None:
    reference = [Turn(0, 4, "a"), Turn(5, 9, "b")]
    right = error_rates([Said(reference, ["a"], [Turn(0, 4, "a"), Turn(5, 9, "unknown 1")], 2)])
    assert (right["DER 0"], right["named"], right["count"]) == (0, 100, 0)
    merged = error_rates([Said(reference, ["a"], [Turn(0, 4, "x"), Turn(5, 9, "x")], 1)])
    assert (merged["DER 0"], merged["named"], merged["count"]) == (50, 0, -1)
    late = error_rates([Said(reference, ["a"], [Turn(0.2, 4, "a"), Turn(5, 9, "b")], 2)])
    assert late["DER 0"] == pytest.approx(2.5)
    assert late["DER 0.25"] == pytest.approx(0)


def test_overlap_that_was_read_off() -> None:
    reference = [Turn(0, 4, "a"), Turn(3, 9, "b"), Turn(9, 10, "a")]  # 1 of 10 s is overlapped
    rates = overlap_rates([Said(reference, [], [], 0, [Region(3.5, 5.5)])])
    assert (rates["share"], rates["marked"]) == (10, 20)
    assert (rates["precision"], rates["recall"]) == (25, 50)
    assert rates["F1"] == pytest.approx(100 / 3)
    assert rates["F1 of always"] == pytest.approx(200 / 11)
