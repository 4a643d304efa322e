"""The whole command on a few real recordings, at a scale that learns nothing worth printing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from bundle.generator import GeneratorBundle
from trainer.cli import app
from trainer.gaae.run import TrainedGaae
from trainer.gaae.sound import waveforms
from trainer.reproduce.gaae import paper
from trainer.reproduce.gaae.audio_fid import newest_generator, shipped
from trainer.reproduce.gaae.judge import Judge, judge, judge_path
from trainer.reproduce.gaae.page import PARTS, chosen_parts, reproduce_gaae
from trainer.reproduce.gaae.plan import NOTHING, work
from trainer.reproduce.gaae.recipes import MODELS, first_run
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.trainings import GaaeRuns

TASKS = ("digits", "instruments", "gender")


@pytest.fixture(scope="module")
def page(runs: GaaeRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "gaae.md"
    reproduce_gaae(runs, path, chosen_parts([]))
    return path


def rows(page: Path, part: str) -> list[list[str]]:
    """Cells of every table row of a part."""
    block = page.read_text().split(f"<!-- reproduce gaae {part}:")[1].split("<!-- end of")[0]
    lines = [line for line in block.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def number(cell: str) -> float:
    return float(cell.split()[0])


def test_scores_stand_beside_the_papers(page: Path) -> None:
    for part, published in (("table1", paper.TABLE_1), ("table6", paper.TABLE_6)):
        by_name = {
            cells[0].split(", 50 %")[0].split(", 100 %")[0].split(", no")[0]: cells
            for cells in rows(page, part)
        }
        for name, (inception, _) in published.items():
            cells = by_name[name]
            assert inception is not None
            assert number(cells[1]) == inception[0]
            if cells[2] != "not trained":
                assert 1 <= number(cells[2]) <= 10
                assert name == "Real (train)" or number(cells[4]) >= 0
        assert by_name["Real (train)"][4] == "–"
    by_name = {cells[0]: cells for cells in rows(page, "table1")}
    assert by_name["TiFGAN"][2] == "not trained"
    assert by_name["Unsupervised BigGAN, no labels"][-1] == "–"
    assert 0 <= number(by_name["GAAE, 50 % of labels"][-1]) <= 100
    by_name = {cells[0]: cells for cells in rows(page, "table6")}
    assert by_name["GAAE, guided by digits"][-1] == "–"  # its labels are no genders
    assert 0 <= number(by_name["GAAE, guided by gender"][-1]) <= 100


def test_what_is_measured_is_a_share(page: Path) -> None:
    header, *ours = [cells for cells in rows(page, "table7") if cells[1] != "paper"]
    (half,) = [cells for cells in ours if cells[0] == "50 %"]
    longer = ours[-1]
    assert header[2:] == list(paper.CLASSIFIERS)
    assert all(0 <= number(cell) <= 100 for cell in half[2:])
    assert (longer[0], longer[2:4]) == ("50 %, 3 iterations", ["–", "–"])
    for part in ("table4", "table5"):
        assert all(0 <= number(cells[2]) <= 100 for cells in rows(page, part)[1:])


def test_the_page_says_how_much_was_trained(page: Path) -> None:
    text = page.read_text()
    assert text.startswith("# The GAAE paper, reproduced")
    assert "Every model of ours: 3 iterations." in text
    assert text.count("Scale `toy`") == len(PARTS)
    assert "1 training(s) a row" in text
    assert "A score is of 40 generated samples" in text
    assert "± of ours is over ten parts of the samples" in text
    assert "3 iterations for digits, 2 for instruments" in text
    for picture in (
        "sheet-instruments",
        "sheet-digits",
        "styles-digits",
        "interpolation-digits",
        "tsne-digits",
        "tsne-gender",
        "sweeps",
    ):
        assert f"gaae/{picture}.png" in text
        assert (page.with_suffix("") / f"{picture}.png").stat().st_size > 5000


def test_the_plan_is_what_is_done(runs: GaaeRuns, page: Path) -> None:
    assert page.is_file()
    planned = NOTHING
    for part in PARTS:
        planned |= work(runs.scale, part, TASKS)
    trained = {path.parent.name for path in (runs.folder / "trained").glob("*/checkpoint.safetensors")}
    cnns = {path.stem for path in (runs.folder / "rows" / "accuracy").glob("*-cnn-*.json")}
    assert trained | cnns == {training.name for training in planned.trainings} | planned.classifiers


def test_the_same_command_trains_and_measures_nothing_twice(runs: GaaeRuns, page: Path) -> None:
    files = [*runs.folder.rglob("*.safetensors"), *runs.folder.rglob("rows/**/*.json")]
    made = {path: path.stat().st_mtime_ns for path in files}
    assert len(made) > 30
    before = page.read_text()
    reproduce_gaae(replace(runs, _spectrograms={}, train_logits={}), page, ["judges", "table1", "table7"])
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert page.read_text().count("reproduce gaae table1:") == before.count("reproduce gaae table1:") == 1
    assert rows(page, "table1")
    assert not list(runs.folder.rglob("*.partial"))


@pytest.mark.parametrize("model", ["supervised", "ggan", "gaae"])
def test_a_finished_training_is_what_it_left(runs: GaaeRuns, page: Path, model: str) -> None:
    assert page.is_file()
    training = first_run(runs.scale, model, "digits", length="long")
    checkpoint = runs.folder / "trained" / training.name / "checkpoint.safetensors"
    networks = runs.networks(training)
    assert not networks.training
    with safe_open(checkpoint, framework="pt") as left:
        for name, tensor in networks.state_dict().items():
            assert torch.equal(tensor, left.get_tensor(f"average/{name}"))


def test_a_gaae_of_it_is_a_run_that_can_be_exported(runs: GaaeRuns, page: Path) -> None:
    assert page.is_file()
    training = first_run(runs.scale, "gaae", "digits", length="long")
    trained = TrainedGaae.load(runs.folder / "trained" / training.name)
    assert trained.iterations == 3
    assert trained.guidance.labels[7] == "seven"
    assert trained.guidance.share == 50


def test_a_training_of_other_settings_is_refused(runs: GaaeRuns, page: Path) -> None:
    assert page.is_file()
    other = replace(runs, scale=replace(runs.scale, channels=3))
    for model in ("gaae", "supervised"):
        with pytest.raises(ValueError, match="other settings"):
            other.networks(first_run(runs.scale, model, "digits", length="long"))
    digits = runs.data / "other_digits"
    digits.symlink_to(runs.data / "arabic_speech_commands")
    elsewhere = replace(runs, corpora={**runs.corpora, "digits": digits.name})
    with pytest.raises(ValueError, match="other settings or audio"):
        elsewhere.networks(first_run(runs.scale, "supervised", "digits", length="long"))


def test_a_judge_of_another_making_is_trained_anew(runs: GaaeRuns, tmp_path: Path) -> None:
    elsewhere = replace(runs, folder=tmp_path)
    made = [judge(elsewhere, "gender").net[-1].weight for _ in range(2)]
    assert torch.equal(*made)
    longer = replace(elsewhere, scale=replace(runs.scale, classifier_steps=4))
    assert not torch.equal(judge(longer, "gender").net[-1].weight, made[0])


def test_the_judge_hears_audio(runs: GaaeRuns, page: Path) -> None:
    assert page.is_file()
    loaded = Judge.load(judge_path(runs.folder, "digits"))
    waveforms = torch.randn(3, 16_000, generator=torch.Generator().manual_seed(0))
    logits = loaded.of_audio(waveforms)
    assert logits.shape == (3, 10)
    assert torch.allclose(loaded.of_audio(0.1 * waveforms), logits, atol=1e-4)  # loudness says nothing
    assert loaded.labels[0] == "zero"
    assert (Judge.load(judge_path(runs.folder, "gender")).labels) == ("f", "m")


def test_the_command_line(few_clips: Path, tmp_path: Path) -> None:
    command = ["reproduce", "gaae", "--data", str(few_clips), "--out", str(tmp_path / "runs")]
    page = ["--page", str(tmp_path / "page.md")]
    for wrong, message in (
        (["--scale", "huge"], "toy, cpu, paper"),
        (["--only", "table9"], "No part table9"),
    ):
        result = CliRunner().invoke(app, [*command, *page, *wrong])
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
    result = CliRunner().invoke(app, [*command, *page, "--plan", "--only", "table1"])
    assert result.exit_code == 0
    iterations = 4 * SCALES["cpu"].long
    assert f"| in all | 4 | {iterations} | 1 |" in result.output
    assert not (tmp_path / "runs").exists()
    for part, corpus in (("table2", "--instruments"), ("table6", "--gender"), ("sheets", "--digits")):
        absent = ["--scale", "toy", "--only", part, corpus, "none"]
        result = CliRunner().invoke(app, [*command, *page, *absent])
        assert result.exit_code == 0
        assert f"{part} left out" in " ".join(result.output.split())


def test_fid_by_audio_stands_beside_the_judges(runs: GaaeRuns, page: Path) -> None:
    by_name = {cells[0]: cells[1:] for cells in rows(page, "audio")}
    # The instruments' rows come last, and have the same names.
    for name in ("Real (test)", "Real (test), there and back", *MODELS.values()):
        judged, by_audio = map(number, by_name[name][:2])
        assert min(judged, by_audio) >= 0
    assert by_name[MODELS["unsupervised"]][2:] == ["–", "–"]
    bundle = GeneratorBundle.load(newest_generator() or pytest.skip("no generator is shipped"))
    x, y = shipped(bundle, runs, "digits")
    assert x.shape == (runs.scale.samples, 128, 64)
    sound = waveforms(x, runs.front_settings("digits").spectrogram)
    assert sound.shape == (len(x), 16_000)
    # What is heard again has the spectrogram that it was made from, nearly.
    again = judge(runs, "digits").spectrogram(sound)
    assert float(((again - x).abs()).mean()) < 0.15
    assert y is not None
    with pytest.raises(ValueError, match="other labels"):
        shipped(bundle, runs, "instruments")
