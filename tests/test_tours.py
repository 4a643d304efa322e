"""The tours of docs/tour.md: the scripts as they are, against a real service."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.service.conftest import RunningService, StartService, newest_shipped, start_service

__all__ = ["start_service"]

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def service(start_service: StartService) -> RunningService:
    return start_service(newest_shipped("autodecompose").parents[1])


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(DOCS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_tour_names_who_is_enrolled_and_leaves_nobody(service: RunningService) -> None:
    with service.client() as http:
        ended = run("tour.sh", service.url)
        assert ended.returncode == 0, ended.stderr
        known, stranger, after = ended.stdout.split("/identify\n")[1:]
        assert '"match": {"speaker_id": "tour-bea"' in " ".join(known.split())
        assert '"match": null' in stranger
        assert '"candidates": []' in after
        assert http.get("/speakers").json()["speakers"] == []


@pytest.mark.parametrize("script", ["tour.sh", "finetune-tour.sh", "generation-tour.sh"])
def test_a_tour_without_a_service_says_so(script: str) -> None:
    ended = run(script, "http://127.0.0.1:9")  # the discard port: nobody listens
    assert ended.returncode == 1
    assert "make serve" in ended.stderr
    assert ended.stdout == ""


def test_the_tour_of_fine_tuning_says_that_there_is_no_worker_and_leaves_nothing(
    service: RunningService,
) -> None:
    ended = run("finetune-tour.sh", service.url, "1")
    assert ended.returncode == 1, ended.stdout
    assert "python -m service worker" in ended.stderr
    with service.client() as http:
        (job,) = http.get("/finetune").json()["jobs"]
        assert job["state"] == "canceled"
        assert http.get("/speakers").json()["speakers"] == []


def test_the_generation_tour_writes_a_clip_a_label(service: RunningService, tmp_path: Path) -> None:
    ended = run("generation-tour.sh", service.url, str(tmp_path / "clips"))
    assert ended.returncode == 0, ended.stderr
    clips = list((tmp_path / "clips").iterdir())
    assert len(clips) == 10
    assert all(clip.read_bytes().startswith(b"RIFF") for clip in clips)
