"""A short version of `python -m benchmarks faults`: real servers, workers and Redis are killed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.faults.kills import left_on_disk
from benchmarks.faults.oracle import Oracle, Verdict, Voice
from benchmarks.faults.page import faults_page
from benchmarks.faults.processes import Site

KILLS = 2  # of each; the command makes as many as there is time for


@pytest.mark.parametrize("servers", [1, 2], ids=["embedded", "replicated"])
def test_kills_leave_what_was_acknowledged_and_nothing_else(
    servers: int, tiny_models: Path, tmp_path: Path
) -> None:
    if servers > 1 and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    page, said = tmp_path / "reliability.md", list[str]()
    assert faults_page(tiny_models, page, said.append, servers=servers, kills=KILLS, minutes=None), said
    assert f"| {KILLS} |" in page.read_text()


def shown(voice: Voice, **changes: object) -> dict[str, dict[str, object]]:
    """GET /speakers, of one voice with two recordings."""
    whole = {
        "name": voice.token,
        "metadata": {"token": voice.token},
        "utterances": 2,
        "audio_retained": True,
        "stale": False,
    }
    return {voice.speaker_id: whole | changes}


@pytest.mark.parametrize(
    ("may_be", "there", "fault"),
    [
        ({2}, {}, None),
        ({1, 2}, {}, None),
        ({2, 3}, {"utterances": 3}, None),
        ({2}, None, "lost"),
        ({2}, {"utterances": 1}, "lost"),
        ({0, 2}, None, None),
        ({0}, {}, "returned"),
        ({1}, {"utterances": 2}, "half"),
        ({2}, {"name": None}, "half"),
        ({2}, {"audio_retained": False}, "half"),
        ({2}, {"stale": True}, "half"),
    ],
)
def test_the_oracle_knows(may_be: set[int], there: dict[str, object] | None, fault: str | None) -> None:
    oracle = Oracle(most_jobs=0)
    voice = Voice("v", "token", may_be)
    oracle.voices["v"] = voice
    oracle.judge_voices({} if there is None else shown(voice, **there))
    assert [name for name, found in vars(oracle.verdict).items() if found] == ([fault] if fault else [])


def test_the_oracle_knows_who_was_never_enrolled_and_which_model_may_serve() -> None:
    oracle = Oracle(most_jobs=0)
    oracle.judge_voices(shown(Voice("stranger", "token")))
    oracle.models = {"a/1", "a/2"}
    oracle.judge_model("a/2")
    oracle.judge_model("a/1")
    assert oracle.verdict == Verdict(
        defects=["stranger was never enrolled"], lost=["the switch to a/2: a/1 serves"]
    )


def test_a_trace_on_the_disk_is_found(tmp_path: Path, tiny_models: Path) -> None:
    site, oracle = Site(tmp_path / "site", tiny_models, servers=1), Oracle(most_jobs=0)
    oracle.voices["v"] = Voice("v", "token", {0}, [b"trace"])
    assert left_on_disk(site, oracle) == []
    (site.state / "speakers.sqlite-wal").write_bytes(b"a trace of it")
    (site.state / "jobs" / "1").mkdir(parents=True)
    assert len(left_on_disk(site, oracle)) == 2
