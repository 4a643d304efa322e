"""The recordings and scripts of examples/, with the shipped model in a real service."""

from __future__ import annotations

import csv
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.service.conftest import RunningService, StartService, newest_shipped, start_service
from trainer.audio.folders import read_folder

__all__ = ["start_service"]

EXAMPLES = Path(__file__).parents[1] / "examples"
AT_MOST_BYTES = 1_000_000
STEPS = 3


@pytest.fixture(scope="module")
def service(start_service: StartService) -> RunningService:
    """The shipped model, and a worker beside it."""
    return start_service(newest_shipped("autodecompose"), "--worker", finetune_threads=1)


def run(script: str, *arguments: str) -> list[str]:
    """The lines that a script prints."""
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_embed_finds_one_reader_nearer_than_another(service: RunningService) -> None:
    *files, same, other = run("embed.py", service.url)
    assert len(files) == 3
    assert all("256 numbers" in line for line in files)
    assert float(same.split()[-1]) > float(other.split()[-1]) + 0.2


def test_identify_knows_the_enrolled_and_nobody_else_and_leaves_none(service: RunningService) -> None:
    with service.client() as http:
        before = http.get("/speakers").json()["speakers"]
        lines = run("identify.py", service.url)
        assert http.get("/speakers").json()["speakers"] == before
    first, second, stranger = (line.split(": ", 1)[1] for line in lines[-3:])
    assert first.startswith("example-1998, score")
    assert second.startswith("example-3005, score")
    assert stranger == "nobody enrolled"


def test_diarize_names_both_readers_in_the_order_of_their_turns(service: RunningService) -> None:
    names = [line.split(": ")[1] for line in run("diarize.py", service.url)]
    turns = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    assert turns == [f"example-{speaker}" for speaker in ("3005", "1998", "3005", "1998", "3005")]


def test_finetune_follows_the_job_to_a_new_version(service: RunningService) -> None:
    pytest.importorskip("torch")
    *events, reason, serve_it = run("finetune.py", service.url, str(STEPS))
    assert events[-1] == f"succeeded: step {STEPS} of {STEPS}"
    assert reason.endswith(".")
    version = serve_it.split("/")[-2]
    with service.client() as http:
        assert version in {model["version"] for model in http.get("/models").json()["models"]}


def test_a_script_says_what_the_service_says(service: RunningService) -> None:
    command = [sys.executable, str(EXAMPLES / "finetune.py"), service.url, "-1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "steps" in ended.stderr


def test_the_table_lists_each_recording() -> None:
    clips = read_folder(EXAMPLES, "test")
    assert [clip.path for clip in clips] == sorted((EXAMPLES / "audio").glob("*/*.opus"))
    for clip in clips:
        assert clip.path.parent.name == clip.speaker == clip.path.name.split("-")[0]
    with (EXAMPLES / "metadata.tsv").open() as table:
        for row in csv.DictReader(table, delimiter="\t"):
            assert soundfile.info(EXAMPLES / row["path"]).duration == pytest.approx(
                float(row["seconds"]), abs=2e-3
            )


def test_each_recording_is_credited_and_all_are_small() -> None:
    credit = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in credit
    for clip in read_folder(EXAMPLES):
        speaker, chapter, utterance = clip.path.stem.split("-")
        (row,) = (line for line in credit.splitlines() if line.startswith(f"| {speaker} | {chapter} |"))
        assert utterance in row
    assert sum(path.stat().st_size for path in EXAMPLES.rglob("*") if path.is_file()) < AT_MOST_BYTES


def test_the_conversations_are_what_their_script_joins() -> None:
    script: dict[str, Any] = runpy.run_path(str(EXAMPLES / "join_conversations.py"))
    names = sorted(path.stem for path in (EXAMPLES / "conversations").glob("*.opus"))
    assert sorted(script["CONVERSATIONS"]) == names
    for name, turns in script["CONVERSATIONS"].items():
        joined, rttm = script["join"](name, turns)
        assert (EXAMPLES / "conversations" / f"{name}.rttm").read_text() == rttm
        stored, _ = soundfile.read(EXAMPLES / "conversations" / f"{name}.opus", dtype="float32")
        assert len(stored) == len(joined)
        assert np.corrcoef(stored, joined)[0, 1] > 0.9  # Opus keeps the sound, not the samples
