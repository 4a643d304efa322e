"""The real command on made-up voices: trained, killed, resumed, exported, measured."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainer.bundles.runner import BundleRunner
from trainer.training.checkpoint import load_checkpoint

REPOSITORY = Path(__file__).parents[2]
SETTINGS = ("encoder=dense", "decoder=dense", "batch=4", "epochs=60", "checkpoint_steps=5")


def command(data: Path, out: Path) -> list[str]:
    changes = [part for setting in SETTINGS for part in ("--set", setting)]
    folders = ["--data", str(data), "--out", str(out), "--cache", str(out.parent / "cache")]
    return [sys.executable, "-m", "trainer", "pretrain", *folders, *changes]


@pytest.fixture
def finished(tones: Path, tmp_path: Path) -> Path:
    out = tmp_path / "whole"
    subprocess.run(command(tones, out), cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    return out


def test_killed_and_resumed_equals_uninterrupted_and_exports(
    tones: Path, tmp_path: Path, finished: Path
) -> None:
    out = tmp_path / "killed"
    process = subprocess.Popen(command(tones, out), cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    checkpoint = out / "checkpoint.safetensors"
    deadline = time.monotonic() + 240
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the training ended before it could be killed"
    steps = 60 * 6
    assert 0 < load_checkpoint(checkpoint, {}) < steps

    subprocess.run(command(tones, out), cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    assert load_checkpoint(checkpoint, {}) == steps
    whole, resumed = (load_file(run / "checkpoint.safetensors") for run in (finished, out))
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    with (out / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["step"])) for row in rows] == list(range(1, steps + 1))
    assert float(rows[-1]["mse"]) < float(rows[0]["mse"]) / 5
    assert (out / "losses.png").read_bytes().startswith(b"\x89PNG")

    bundle = tmp_path / "models" / "tones" / "1.0.0"
    export = [sys.executable, "-m", "trainer", "export", str(out), "--out", str(bundle)]
    exported = subprocess.run(export, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    assert b"Left out: scoring.by_seconds" in exported.stderr  # of four voices
    manifest = json.loads((bundle / "bundle.json").read_text())
    assert (manifest["name"], manifest["version"], manifest["training"]["steps"]) == ("tones", "1.0.0", steps)
    assert set(manifest["files"]) == {"voice", "content", "decoder", "weights"}
    assert BundleRunner.load(bundle).manifest.embedding_dim == 256
    again = subprocess.run(export, cwd=REPOSITORY, capture_output=True, timeout=300, check=False)
    assert again.returncode == 1
    assert b"never written twice" in again.stderr


def test_other_settings_do_not_go_on_in_an_old_run(tones: Path, tmp_path: Path) -> None:
    short = [*command(tones, tmp_path / "run"), "--set", "epochs=1"]
    subprocess.run(short, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    changed = [*short, "--set", "batch=8"]
    result = subprocess.run(changed, cwd=REPOSITORY, capture_output=True, timeout=300, check=False)
    assert result.returncode == 1
    assert b"other settings" in result.stderr


def test_two_processes_under_torchrun_train_one_model(tones: Path, tmp_path: Path) -> None:
    """Gloo on two CPU processes: half the steps, each on two batches, and one set of files."""
    out = tmp_path / "together"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*torchrun, *command(tones, out)[1:]], cwd=REPOSITORY, env=environment, check=True, timeout=300
    )
    assert load_checkpoint(out / "checkpoint.safetensors", {}) == 60 * 3
    with (out / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 * 3
    assert float(rows[-1]["mse"]) < float(rows[0]["mse"]) / 3


def test_the_three_stages_follow_each_other_and_go_on_after_a_kill(tones: Path, tmp_path: Path) -> None:
    small = ("encoder=dense", "decoder=dense", "batch=4", "bt_width=16")

    def stage(preset: str, out: Path, epochs: int, *more: str) -> list[str]:
        changes = [part for setting in (*small, f"epochs={epochs}") for part in ("--set", setting)]
        folders = ["--data", str(tones), "--out", str(out), "--cache", str(tmp_path / "cache")]
        return [sys.executable, "-m", "trainer", "pretrain", "--preset", preset, *folders, *changes, *more]

    def run(arguments: list[str]) -> None:
        subprocess.run(arguments, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)

    voice, content = tmp_path / "voice", tmp_path / "content"
    run(stage("voice", voice, 2))
    clustered = [tmp_path / "whole", tmp_path / "killed"]
    more = ("--start", str(voice), "--set", "clusters=64", "--set", "checkpoint_steps=1")
    run(stage("clusters", clustered[0], 20, *more))
    process = subprocess.Popen(
        stage("clusters", clustered[1], 20, *more), cwd=REPOSITORY, stderr=subprocess.DEVNULL
    )
    checkpoint = clustered[1] / "checkpoint.safetensors"
    deadline = time.monotonic() + 240
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.terminate()
    process.wait()
    assert process.returncode == 128 + signal.SIGTERM, "the training ended before it could be stopped"
    run(stage("clusters", clustered[1], 20, *more))
    whole, resumed = (load_file(folder / "checkpoint.safetensors") for folder in clustered)
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name

    run(stage("content", content, 2, "--start", str(clustered[0])))
    final = load_file(content / "checkpoint.safetensors")
    frozen = [name for name in final if name.startswith("objective/model.E_s")]
    assert frozen
    assert all(torch.equal(final[name], whole[name]) for name in frozen)
    assert not torch.equal(final["objective/model.E_c.out.weight"], whole["objective/model.E_c.out.weight"])


def test_clusters_need_a_run_that_hears_which_voices_are_alike(tones: Path, tmp_path: Path) -> None:
    arguments = [*command(tones, tmp_path / "run"), "--set", "clusters=4"]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, timeout=300, check=False)
    assert done.returncode == 1
    assert b"--start" in done.stderr
