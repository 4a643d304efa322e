"""When a checkpoint is due, and what Ctrl-C and SIGTERM leave: the real command and real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainer.cli import app
from trainer.training import schedule
from trainer.training.checkpoint import read_step
from trainer.training.schedule import CheckpointSchedule

REPOSITORY = Path(__file__).parents[3]
LIMIT_S = 240.0


def catches(process: subprocess.Popen[bytes], number: int) -> bool:
    """Whether the process has a handler of its own for this signal."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (mask,) = (line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads /proc, which only Linux has")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, {1, 130}), (signal.SIGTERM, {143})])
def test_a_stopped_training_leaves_its_checkpoint(
    number: signal.Signals, status: set[int], tones: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    settings = ("encoder=dense", "decoder=dense", "batch=4", "epochs=100000", "checkpoint_steps=1000000")
    changes = [part for setting in settings for part in ("--set", setting)]
    folders = ["--data", str(tones), "--out", str(out), "--cache", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "trainer", "pretrain", *folders, *changes]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)
    deadline = time.monotonic() + LIMIT_S
    # Python itself handles SIGINT; a handler of SIGTERM is the training's.
    while process.poll() is None and not catches(process, signal.SIGTERM) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not (out / "checkpoint.safetensors").exists()
    process.send_signal(number)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode in status, said
    assert b"Traceback" not in said
    assert read_step(out / "checkpoint.safetensors") >= 1
    assert (out / "losses.csv").is_file()


def test_a_checkpoint_is_due_by_steps_at_the_end_and_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    by_steps = CheckpointSchedule(3, 7)
    assert [step for step in range(1, 8) if by_steps.due(step)] == [3, 6, 7]
    by_time = CheckpointSchedule(1000, 1000)
    monkeypatch.setattr(schedule, "EVERY_S", 0.0)
    assert by_time.due(1)


def test_a_signal_makes_a_checkpoint_due_and_then_ends_it() -> None:
    due: list[bool] = []

    def train() -> None:
        with CheckpointSchedule(100, 100) as stopping:
            due.append(stopping.due(1))
            signal.raise_signal(signal.SIGINT)
            stopping.leave_if_stopped()  # nothing was written since the signal: not yet
            due.append(stopping.due(2))
            stopping.leave_if_stopped()
            pytest.fail("it should have left")

    with pytest.raises(KeyboardInterrupt):
        train()
    assert due == [False, True]


def test_a_signal_in_the_last_step_is_not_lost() -> None:
    with pytest.raises(SystemExit) as ended, CheckpointSchedule(100, 1):
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143


def test_a_second_signal_ends_at_once() -> None:
    def train() -> None:
        with CheckpointSchedule(100, 100):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("it should have ended")

    with pytest.raises(KeyboardInterrupt):
        train()


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with CheckpointSchedule(100, 100):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_export_of_a_run_without_a_checkpoint_says_why(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for reason in ("is no folder", "did not get that far"):
        result = CliRunner().invoke(app, ["export", str(run), "--out", str(tmp_path / "m" / "1.0.0")])
        assert result.exit_code == 1
        assert reason in " ".join(result.output.split())
        run.mkdir(exist_ok=True)
