"""A real parent, real speech: fine-tuned, killed, resumed, cancelled, refused."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from rich.console import Console
from rich.progress import Progress, TaskID
from safetensors.torch import load_file
from typer.testing import CliRunner

from trainer.audio.folders import contiguous_crops, read_audio, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.cli import app
from trainer.finetuning.command import finetune_with_progress
from trainer.finetuning.errors import Canceled, FinetuneError
from trainer.finetuning.finetune import finetune, read_report
from trainer.finetuning.report import FinetuneReport

STEPS = 12


class Stop(Exception):
    """Stands for the end of a worker."""


class Steps:
    """Keeps the steps it is told of, and dies at one of them."""

    def __init__(self, last: int = STEPS) -> None:
        self.seen: list[int] = []
        self.last = last

    def __call__(self, step: int, steps: int, loss: float) -> None:
        assert steps == STEPS
        assert np.isfinite(loss)
        self.seen.append(step)
        if step == self.last < steps:
            raise Stop


@dataclass(frozen=True)
class Job:
    parent: Path
    audio: list[Path]
    speakers: list[str]

    def run(
        self,
        folder: Path,
        *,
        audio: list[Path] | None = None,
        steps: Steps | None = None,
        canceled: Callable[[], bool] = lambda: False,
        **more: object,
    ) -> FinetuneReport:
        return finetune(
            self.parent,
            self.audio if audio is None else audio,
            folder / "models" / "autodecompose" / "1.0.1",
            version="1.0.1",
            steps=STEPS,
            work_dir=folder / "work",
            on_step=steps or Steps(),
            canceled=canceled,
            **more,  # type: ignore[arg-type]
        )


@pytest.fixture(scope="module")
def job(examples: Path, parent: Path) -> Job:
    clips = read_folder(examples)
    speakers = sorted({clip.speaker for clip in clips})[:3]
    chosen = [clip for name in speakers for clip in [c for c in clips if c.speaker == name][:2]]
    return Job(parent, [clip.path for clip in chosen], [clip.speaker for clip in chosen])


@pytest.fixture(scope="module")
def tuned(job: Job, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FinetuneReport]:
    folder = tmp_path_factory.mktemp("tuned")
    report = job.run(folder, speakers=job.speakers)
    return folder / "models" / "autodecompose" / "1.0.1", report


def test_a_new_version_is_a_whole_bundle(job: Job, tuned: tuple[Path, FinetuneReport]) -> None:
    folder, report = tuned
    parent, child = BundleRunner.load(job.parent), BundleRunner.load(folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    assert (manifest["version"], manifest["parent"]) == ("1.0.1", "1.0.0")
    files = {"voice", "content", "decoder", "weights", "adaptation", "map_from_parent", "report"}
    assert set(manifest["files"]) == files
    assert manifest["training"]["settings"]["steps"] == STEPS
    assert read_report(folder) == report
    crops = contiguous_crops(read_audio(job.audio[0]))[:4]
    old, new = parent.embed(crops), child.embed(crops)
    assert not np.allclose(old, new, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1, rtol=1e-5)
    table = np.load(folder / "map_from_parent.npy", allow_pickle=False)
    assert table.shape == (33, 32)
    assert manifest["map_from_parent"]["parent"] == "autodecompose/1.0.0"
    mapped = old @ table[:-1] + table[-1]
    assert np.linalg.norm(mapped - new) < np.linalg.norm(old - new)


def test_the_report_measures_recordings_that_were_left_out(tuned: tuple[Path, FinetuneReport]) -> None:
    _, report = tuned
    measures = report.measures
    assert measures.reconstruction is not None
    assert measures.reconstruction.after < measures.reconstruction.before  # the parent was untrained
    assert measures.barlow_twins is not None
    for change in (measures.identification, measures.f1, measures.eer, measures.false_accepts):
        assert change is not None
        assert 0 <= change.before <= 1
        assert 0 <= change.after <= 1
    assert report.verdict in ("better", "not_better")
    assert "%" in report.reason
    assert (report.recordings, report.left_out, report.steps, report.skipped) == (6, 1, STEPS, [])
    assert FinetuneReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_a_second_call_returns_the_first_report(job: Job, tuned: tuple[Path, FinetuneReport]) -> None:
    folder, report = tuned
    before = (folder / "bundle.json").read_bytes()
    again = job.run(folder.parents[2], canceled=lambda: pytest.fail("it should not have trained again"))
    assert again == report
    assert (folder / "bundle.json").read_bytes() == before


def test_a_job_that_died_goes_on_and_ends_the_same(
    job: Job, tuned: tuple[Path, FinetuneReport], tmp_path: Path
) -> None:
    with pytest.raises(Stop):
        job.run(tmp_path, steps=Steps(last=11))
    assert not (tmp_path / "models").exists()
    steps = Steps()
    job.run(tmp_path, steps=steps)
    assert steps.seen == [11, 12]
    ours, theirs = (
        load_file(folder / "weights.safetensors")
        for folder in (tmp_path / "models" / "autodecompose" / "1.0.1", tuned[0])
    )
    for name, tensor in theirs.items():
        assert torch.equal(tensor, ours[name]), name


def test_canceling_stops_at_the_next_step_and_leaves_nothing(job: Job, tmp_path: Path) -> None:
    steps = Steps()
    with pytest.raises(Canceled):
        job.run(tmp_path, steps=steps, canceled=lambda: len(steps.seen) == 2)
    assert steps.seen == [1, 2]
    assert not (tmp_path / "models").exists()


def test_audio_that_cannot_be_used_is_refused_with_a_reason(job: Job, tmp_path: Path) -> None:
    rate = 16_000
    text, short, silence = (tmp_path / name for name in ("a.wav", "b.wav", "c.wav"))
    text.write_text("no sound at all")
    soundfile.write(short, read_audio(job.audio[0])[: 2 * rate], rate)
    soundfile.write(silence, 1e-4 * np.random.default_rng(0).normal(size=10 * rate), rate)
    for audio, reason in (([text], "can be decoded"), ([short], "too little"), ([silence], "Nobody speaks")):
        with pytest.raises(FinetuneError, match=reason):
            job.run(tmp_path, audio=audio)
    assert not (tmp_path / "models").exists()


def test_a_damaged_file_among_good_ones_is_named(job: Job, tmp_path: Path) -> None:
    text = tmp_path / "a.wav"
    text.write_text("no sound at all")
    report = job.run(tmp_path, audio=[text, *job.audio])
    assert report.recordings == len(job.audio)
    assert len(report.skipped) == 1
    assert "a.wav" in report.skipped[0]
    assert str(tmp_path) not in report.skipped[0]


def test_a_parent_without_weights_takes_no_steps(job: Job, tmp_path: Path, tiny_bundle: Path) -> None:
    with pytest.raises(FinetuneError, match="0 steps"):
        Job(tiny_bundle, job.audio, job.speakers).run(tmp_path)


def test_the_command_writes_a_version_once(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "autodecompose" / "1.0.1"
    command = ["finetune", str(job.parent), *map(str, job.audio[:2]), "--out", str(out), "--steps", "2"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "etter" in result.output
    assert sorted(path.name for path in out.parent.iterdir()) == ["1.0.1"]
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 1
    assert "never written twice" in again.output.replace("\n", " ")


def test_the_command_goes_on_where_ctrl_c_stopped_it(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "autodecompose" / "1.0.1", []

    def update(_: Progress, task: TaskID, *, completed: int, description: str) -> None:  # noqa: ARG001
        seen.append(completed)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "update", update)
    arguments = (job.parent, job.audio[:2], out, 4, 0.0, Console(quiet=True))
    with pytest.raises(KeyboardInterrupt):
        finetune_with_progress(*arguments)
    assert not out.exists()
    finetune_with_progress(*arguments)
    assert seen == [1, 2, 3, 4]
    assert [path.name for path in out.parent.iterdir()] == ["1.0.1"]
