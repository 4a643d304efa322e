"""The goals of fine-tuning, on figures whose answer is known."""

from __future__ import annotations

from benchmarks.updates.goals import goals_table, steps_text
from benchmarks.updates.voices import TuningFigures

BEFORE = TuningFigures(f1=90.0, eer=10.0, false_accepts=1.0)
CORPORA = ("speechocean762", "telephone_digits", "nemo")


def test_each_goal_is_met_or_missed_by_its_own_column() -> None:
    ten_s, all_audio = TuningFigures(92.0, 8.1, 0.5), TuningFigures(94.0, 7.0, 2.1)
    stepped = TuningFigures(93.5, 7.04, 9.0)
    adapted = {corpus: [BEFORE, ten_s, ten_s, all_audio, stepped] for corpus in CORPORA}
    forgotten = {"nemo": [BEFORE] * 5, "speechocean762": [BEFORE, BEFORE, BEFORE, ten_s, stepped]}
    rows = [line.split(" | ") for line in goals_table(adapted, forgotten).splitlines()[2:]]
    met = {goal.removeprefix("| "): verdict.removesuffix(" |") for goal, _, verdict in rows}
    assert met == {
        "speechocean762, 10 s a speaker: F1 up by 2 points": "met",
        "speechocean762, all audio: F1 up by 4 points": "met",
        "speechocean762, 10 s a speaker: EER down by 20 %": "missed",
        "speechocean762, all audio: EER down by 30 %": "met",
        "telephone_digits, all audio: EER down by 15 %": "met",
        "nemo, all audio: EER down by 15 %": "met",
        "another corpus: EER up by at most 0.2 points": "met",
        "speechocean762: false accepts between 0.5 and 2 %": "missed",
        "telephone_digits: false accepts between 0.5 and 2 %": "missed",
        "nemo: false accepts between 0.5 and 2 %": "missed",
    }
    assert "speechocean762: F1 -0.5, EER +0.0;" in steps_text(adapted)


def test_a_parent_without_errors_has_none_to_lose() -> None:
    perfect = TuningFigures(f1=None, eer=0.0, false_accepts=1.0)
    columns = {corpus: [perfect] * 5 for corpus in CORPORA}
    assert "| nemo, all audio: EER down by 15 % | +0 % | missed |" in goals_table(columns, columns)
