"""The command end to end on small real corpora, with encoders that hardly know anything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.representations.measures import measure, measure_chance, read_factors
from bundle.arrays import Float32
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.downstream import read_task
from trainer.training.checkpoint import save_checkpoint
from trainer.training.run_folder import RunFolder


@pytest.fixture
def twins_run(tmp_path: Path) -> Path:
    """A run folder of Barlow Twins, as after 0 steps."""
    settings = BarlowTwinsSettings(width=2, projector_width=8, latent=4)
    run = RunFolder(tmp_path / "twins")
    run.path.mkdir()
    save_checkpoint(run.checkpoint, {"objective": BarlowTwins(settings)}, None, 0, settings.to_json())
    run.card.write_text(json.dumps({"model": "barlow_twins", "data": ["librispeech"]}))
    return run.path


def test_page_and_figure_are_made_from_a_run_and_from_a_bundle(
    tiny_bundle: Path, twins_run: Path, small_corpora: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n")
    for twins, made_by in ((twins_run, "0 steps of 64 crops of librispeech"), (tiny_bundle, "`tiny/0.0.1`")):
        command = ["representations", "--data", str(small_corpora)]
        command += ["--bundle", str(tiny_bundle), "--barlow-twins", str(twins)]
        result = CliRunner().invoke(app, [*command, "--page", str(page), "--cache", str(tmp_path / "cache")])
        assert result.exit_code == 0, result.output
        text = page.read_text()
        assert text.startswith("# Title\n")
        assert f"- **Barlow Twins**: {made_by}" in text.replace("ResNet-18 of width 2, ", "")
        assert "](page.png)" in text
        assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
        rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
        assert [row[0].strip("| ") for row in rows[2:]] == [
            "voice encoder",
            "content encoder",
            "Barlow Twins",
            "raw log-mel",
            "chance",
        ]
        assert {len(row) for row in rows} == {12}
        accuracies = [float(cell.split()[0]) for row in rows[2:] for cell in row[2:6]]
        assert all(0 <= value <= 100 for value in accuracies)


def test_a_label_in_the_code_scores_100_and_noise_as_guessing(small_corpora: Path, tmp_path: Path) -> None:
    tasks = {name: read_task(name, small_corpora, tmp_path) for name in ("speaker", "keyword")}
    factors = read_factors(tasks["speaker"], small_corpora)
    halves = [half for task in tasks.values() for half in (task.train, task.test)]
    known = {
        crop.tobytes(): label for half in halves for crop, label in zip(half.crops, half.labels, strict=True)
    }

    def oracle(crops: Float32) -> Float32:
        return np.eye(40, dtype=np.float32)[[known[crop.tobytes()] for crop in crops]]

    perfect, chance = measure(oracle, tasks, factors), measure_chance(tasks, factors)
    for name, task in tasks.items():
        accuracy = perfect.accuracy[name]
        assert (accuracy.all_labels, accuracy.share, accuracy.share_std) == (100, 100, 0)
        assert 100 / len(task.classes) <= chance.accuracy[name].all_labels < 100
    assert perfect.single_codes.active == len(tasks["speaker"].classes)
    assert perfect.single_codes.mig > chance.single_codes.mig


def test_factors_are_names_in_the_order_of_the_crops(small_corpora: Path, tmp_path: Path) -> None:
    task = read_task("speaker", small_corpora, tmp_path)
    factors = read_factors(task, small_corpora)
    assert factors.shape == (len(task.train.labels) + len(task.test.labels), 3)
    assert [task.classes.index(name) for name in factors[:, 0]] == [*task.train.labels, *task.test.labels]
    assert set(factors[:, 1]) == {"f", "m"}
    assert set(factors[:, 2]) == {"adult", "child"}


def test_a_folder_without_a_training_is_said_plainly(
    tiny_bundle: Path, small_corpora: Path, tmp_path: Path
) -> None:
    command = ["representations", "--data", str(small_corpora), "--bundle", str(tiny_bundle)]
    result = CliRunner().invoke(
        app, [*command, "--barlow-twins", str(tmp_path), "--page", str(tmp_path / "p")]
    )
    assert result.exit_code == 1
    assert "trainer pretrain --model barlow_twins" in " ".join(result.output.split())
    assert not (tmp_path / "p").exists()
