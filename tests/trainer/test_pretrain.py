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

import torch
from click.testing import Result
from safetensors.torch import load_file
from typer.testing import CliRunner

from trainer.bundles.runner import BundleRunner
from trainer.cli import app
from trainer.training.checkpoint import load_checkpoint

REPOSITORY = Path(__file__).parents[2]
EPOCHS, STEPS = 30, 30 * 6
# Few checkpoints: each draws the picture of the losses, which takes longer than twenty steps.
SETTINGS = ("encoder=dense", "decoder=dense", "bt_width=64", "batch=4", "checkpoint_steps=60")


def arguments(data: Path, out: Path, *more: str, epochs: int = EPOCHS) -> list[str]:
    changes = [part for setting in (*SETTINGS, f"epochs={epochs}") for part in ("--set", setting)]
    folders = ["--data", str(data), "--out", str(out), "--cache", str(out.parent / "cache")]
    return ["pretrain", *folders, *changes, *more]


def trainer(*arguments: str) -> Result:
    """The command in this process: importing torch takes longer than most of them."""
    return CliRunner().invoke(app, arguments)


def train(*arguments: str) -> None:
    done = trainer(*arguments)
    assert done.exit_code == 0, done.output


def killed_after_a_checkpoint(arguments: list[str], out: Path, number: int) -> int:
    """Runs the command in a process of its own until its first checkpoint; its exit status."""
    command = [sys.executable, "-m", "trainer", *arguments]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    checkpoint = out / "checkpoint.safetensors"
    deadline = time.monotonic() + 240
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    return process.wait()


def same_weights(one: Path, other: Path) -> None:
    ours, theirs = (load_file(run / "checkpoint.safetensors") for run in (one, other))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


def test_killed_and_resumed_equals_uninterrupted_and_exports(tones: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "killed"
    train(*arguments(tones, whole))
    status = killed_after_a_checkpoint(arguments(tones, out), out, signal.SIGKILL)
    assert status == -signal.SIGKILL, "the training ended before it could be killed"
    checkpoint = out / "checkpoint.safetensors"
    assert 0 < load_checkpoint(checkpoint, {}) < STEPS

    train(*arguments(tones, out))
    assert load_checkpoint(checkpoint, {}) == STEPS
    same_weights(whole, out)
    with (out / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["step"])) for row in rows] == list(range(1, STEPS + 1))
    assert float(rows[-1]["mse"]) < float(rows[0]["mse"]) / 5
    assert (out / "losses.png").read_bytes().startswith(b"\x89PNG")

    changed = trainer(*arguments(tones, out), "--set", "batch=8")
    assert changed.exit_code == 1
    assert "other settings" in changed.output

    bundle = tmp_path / "models" / "tones" / "1.0.0"
    export = ["export", str(out), "--out", str(bundle)]
    exported = trainer(*export)
    assert exported.exit_code == 0, exported.output
    assert "Left out: scoring.by_seconds" in exported.output  # of four voices
    manifest = json.loads((bundle / "bundle.json").read_text())
    assert (manifest["name"], manifest["version"], manifest["training"]["steps"]) == ("tones", "1.0.0", STEPS)
    assert set(manifest["files"]) == {"voice", "content", "decoder", "weights"}
    assert BundleRunner.load(bundle).manifest.embedding_dim == 256
    again = trainer(*export)
    assert again.exit_code == 1
    assert "never written twice" in " ".join(again.output.split())


def test_two_processes_under_torchrun_train_one_model(tones: Path, tmp_path: Path) -> None:
    """Gloo on two CPU processes: half the steps, each on two batches, and one set of files."""
    out = tmp_path / "together"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [*torchrun, "-m", "trainer", *arguments(tones, out)]
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, timeout=300)
    assert load_checkpoint(out / "checkpoint.safetensors", {}) == STEPS // 2
    with (out / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == STEPS // 2
    assert float(rows[-1]["mse"]) < float(rows[0]["mse"]) / 3


def test_the_three_stages_follow_each_other_and_go_on_after_a_kill(tones: Path, tmp_path: Path) -> None:
    def stage(preset: str, out: Path, epochs: int, *more: str) -> list[str]:
        return arguments(tones, out, "--preset", preset, *more, epochs=epochs)

    voice, content, whole, killed = (tmp_path / name for name in ("voice", "content", "whole", "killed"))
    train(*stage("voice", voice, 2))
    more = ("--start", str(voice), "--set", "clusters=64", "--set", "checkpoint_steps=20")
    train(*stage("clusters", whole, 20, *more))
    again = stage("clusters", killed, 20, *more)
    status = killed_after_a_checkpoint(again, killed, signal.SIGTERM)
    assert status == 128 + signal.SIGTERM, "the training ended before it could be stopped"
    assert load_checkpoint(killed / "checkpoint.safetensors", {}) < 20 * 6
    train(*again)
    same_weights(whole, killed)

    train(*stage("content", content, 2, "--start", str(whole)))
    final, before = (load_file(run / "checkpoint.safetensors") for run in (content, whole))
    frozen = [name for name in final if name.startswith("objective/model.E_s")]
    assert frozen
    assert all(torch.equal(final[name], before[name]) for name in frozen)
    assert not torch.equal(final["objective/model.E_c.out.weight"], before["objective/model.E_c.out.weight"])


def test_clusters_need_a_run_that_hears_which_voices_are_alike(tones: Path, tmp_path: Path) -> None:
    done = trainer(*arguments(tones, tmp_path / "run"), "--set", "clusters=4")
    assert done.exit_code == 1
    assert "--start" in done.output
