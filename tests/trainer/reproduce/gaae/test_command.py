"""The whole command on a few real recordings, at a scale that learns nothing worth printing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors import safe_open
from typer.testing import CliRunner

from trainer.cli import app
from trainer.gaae.run import TrainedGaae
from trainer.reproduce.gaae import paper
from trainer.reproduce.gaae.judge import Judge, judge, judge_path
from trainer.reproduce.gaae.page import PARTS, chosen_parts, reproduce_gaae
from trainer.reproduce.gaae.plan import NOTHING, work
from trainer.reproduce.gaae.recipes import training
from trainer.reproduce.gaae.scale import SCALES
from trainer.reproduce.gaae.workshop import Workshop

TASKS = ("digits", "instruments", "gender")


@pytest.fixture(scope="module")
def page(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "gaae.md"
    reproduce_gaae(shop, path, chosen_parts([]))
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
    header, *found = [cells for cells in rows(page, "table7") if cells[1] != "paper"]
    (ours,) = [cells for cells in found if cells[0] == "50 %"]
    longer = found[-1]
    assert header[2:] == list(paper.CLASSIFIERS)
    assert all(0 <= number(cell) <= 100 for cell in ours[2:])
    assert (longer[0], longer[2:4]) == ("50 %, 3 iterations", ["–", "–"])
    for part in ("table4", "table5"):
        assert all(0 <= number(cells[2]) <= 100 for cells in rows(page, part)[1:])


def test_the_page_says_how_much_was_trained(page: Path) -> None:
    text = page.read_text()
    assert text.startswith("# The GAAE paper, reproduced")
    assert "Every model of ours: 3 iterations." in text
    assert text.count("Scale `toy`") == len(PARTS)
    assert "40 generated samples a score" in text
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


def test_the_plan_is_what_is_done(shop: Workshop, page: Path) -> None:
    assert page.is_file()
    planned = NOTHING
    for part in PARTS:
        planned |= work(shop.scale, part, TASKS)
    trained = {path.parent.name for path in (shop.folder / "trained").glob("*/checkpoint.safetensors")}
    cnns = {path.stem for path in (shop.folder / "rows" / "accuracy").glob("*-cnn-*.json")}
    assert trained | cnns == {one.name for one in planned.trainings} | planned.classifiers


def test_the_same_command_trains_and_measures_nothing_twice(shop: Workshop, page: Path) -> None:
    kept = [*shop.folder.rglob("*.safetensors"), *shop.folder.rglob("rows/**/*.json")]
    made = {path: path.stat().st_mtime_ns for path in kept}
    assert len(made) > 30
    before = page.read_text()
    again = Workshop(shop.data, shop.corpora, shop.folder, shop.scale, Console(quiet=True))
    reproduce_gaae(again, page, ["judges", "table1", "table7"])
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert page.read_text().count("reproduce gaae table1:") == before.count("reproduce gaae table1:") == 1
    assert rows(page, "table1")
    assert not list(shop.folder.rglob("*.partial"))


@pytest.mark.parametrize("model", ["supervised", "ggan", "gaae"])
def test_a_finished_training_is_what_it_left(shop: Workshop, page: Path, model: str) -> None:
    assert page.is_file()
    one = training(shop.scale, model, "digits", length="long")
    checkpoint = shop.folder / "trained" / one.name / "checkpoint.safetensors"
    networks = shop.networks(one)
    assert not networks.training
    with safe_open(checkpoint, framework="pt") as left:
        for name, tensor in networks.state_dict().items():
            assert torch.equal(tensor, left.get_tensor(f"average/{name}"))


def test_a_gaae_of_it_is_a_run_that_can_be_exported(shop: Workshop, page: Path) -> None:
    assert page.is_file()
    one = training(shop.scale, "gaae", "digits", length="long")
    trained = TrainedGaae.load(shop.folder / "trained" / one.name)
    assert trained.iterations == 3
    assert trained.guidance.labels[7] == "seven"
    assert trained.guidance.share == 50


def test_a_training_of_other_settings_is_refused(shop: Workshop, page: Path) -> None:
    assert page.is_file()
    other = replace(shop, scale=replace(shop.scale, channels=3))
    for model in ("gaae", "supervised"):
        with pytest.raises(ValueError, match="other settings"):
            other.networks(training(shop.scale, model, "digits", length="long"))
    digits = shop.data / "other_digits"
    digits.symlink_to(shop.data / "arabic_speech_commands")
    elsewhere = replace(shop, corpora={**shop.corpora, "digits": digits.name})
    with pytest.raises(ValueError, match="other settings or audio"):
        elsewhere.networks(training(shop.scale, "supervised", "digits", length="long"))


def test_a_judge_of_another_making_is_trained_anew(shop: Workshop, tmp_path: Path) -> None:
    own = replace(shop, folder=tmp_path)
    made = [judge(own, "gender").net[-1].weight for _ in range(2)]
    assert torch.equal(*made)
    longer = replace(own, scale=replace(shop.scale, classifier_steps=4))
    assert not torch.equal(judge(longer, "gender").net[-1].weight, made[0])


def test_the_judge_hears_audio(shop: Workshop, page: Path) -> None:
    assert page.is_file()
    heard = Judge.load(judge_path(shop.folder, "digits"))
    waveforms = torch.randn(3, 16_000, generator=torch.Generator().manual_seed(0))
    logits = heard.of_audio(waveforms)
    assert logits.shape == (3, 10)
    assert torch.allclose(heard.of_audio(0.1 * waveforms), logits, atol=1e-4)  # loudness says nothing
    assert heard.labels[0] == "zero"
    assert (Judge.load(judge_path(shop.folder, "gender")).labels) == ("f", "m")


def test_the_command_line(few_clips: Path, tmp_path: Path) -> None:
    command = ["reproduce", "gaae", "--data", str(few_clips), "--out", str(tmp_path / "runs")]
    page = ["--page", str(tmp_path / "page.md")]
    for wrong, said in (
        (["--scale", "huge"], "toy, cpu, paper"),
        (["--only", "table9"], "No part table9"),
    ):
        result = CliRunner().invoke(app, [*command, *page, *wrong])
        assert result.exit_code == 1
        assert said in " ".join(result.output.split())
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
