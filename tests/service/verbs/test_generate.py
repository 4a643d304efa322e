"""The verb `generate` as a user types it, against a real service."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import soundfile

from tests.service.conftest import RunningService, StartService, WriteBundle
from tests.service.generation.tiny_generator import write_generator
from tests.service.verbs.test_verbs import run_cli


@pytest.fixture(scope="module")
def service(
    start_service: StartService, write_bundle: WriteBundle, tmp_path_factory: pytest.TempPathFactory
) -> RunningService:
    models = tmp_path_factory.mktemp("models")
    write_bundle(models, "0.1.0")
    write_generator(models, "0.1.0")
    return start_service(models)


def test_one_clip_several_clips_and_style(service: RunningService, tmp_path: Path) -> None:
    single, many, styled = tmp_path / "x.wav", tmp_path / "y.wav", tmp_path / "z.wav"
    made = run_cli("generate", "high tone", "--out", str(single), "--seed", "4", "--url", service.url)
    assert made.exit_code == 0, made.stderr
    assert f"{single}: high tone, seed 4" in made.stdout.replace("\n", "")
    info = soundfile.info(single)
    assert (info.samplerate, info.channels, info.frames) == (16_000, 1, 16_000)

    options = ("--seed", "3", "--n", "2", "--json", "--url", service.url)
    answer = json.loads(run_cli("generate", "high tone", "--out", str(many), *options).stdout)
    assert answer["model"] == "gaae/0.1.0"
    assert [Path(file["path"]).name for file in answer["files"]] == ["y-3.wav", "y-4.wav"]
    assert (tmp_path / "y-4.wav").read_bytes() == single.read_bytes()

    again = run_cli("generate", "low", "--out", str(styled), "--style", str(single), "--url", service.url)
    assert again.exit_code == 0, again.stderr
    assert styled.stat().st_size == single.stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.wav", "y-3.wav", "y-4.wav", "z.wav"]


def test_what_is_wrong_is_said(service: RunningService, tmp_path: Path) -> None:
    unknown = run_cli("generate", "eleven", "--out", str(tmp_path / "x.wav"), "--url", service.url)
    assert unknown.exit_code == 2
    assert "high tone" in unknown.stderr
    nowhere = run_cli("generate", "low", "--out", str(tmp_path / "no" / "x.wav"), "--url", service.url)
    assert nowhere.exit_code == 2
    assert "cannot be written" in nowhere.stderr
    folder = run_cli("generate", "low", "--out", str(tmp_path), "--url", service.url)
    assert folder.exit_code == 2
    assert "directory" in folder.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_and_a_link_stay_what_they_are(service: RunningService, tmp_path: Path) -> None:
    pipe, link, wav = (tmp_path / name for name in ("pipe", "link", "x.wav"))
    os.mkfifo(pipe)
    link.symlink_to(wav)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a clip fits into a pipe's buffer
    try:
        for out in (link, pipe):
            made = run_cli("generate", "low", "--out", str(out), "--seed", "4", "--url", service.url)
            assert made.exit_code == 0, made.stderr
        assert os.read(reader, 2**16) == wav.read_bytes()
    finally:
        os.close(reader)
    assert link.is_symlink()
    assert pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [link, pipe, wav]


def test_models_shows_what_generates(service: RunningService) -> None:
    rows = [
        line
        for line in run_cli("models", "--url", service.url).stdout.splitlines()
        if "│" in line and "0.1.0" in line
    ]
    assert ["*" in row for row in rows] == [True, False]
    assert "generates" in rows[1]
    assert "gaae" in rows[1]
