"""Each part from training to Markdown, on real recordings at a scale that learns nothing worth printing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.trainer.reproduce.autodecompose.conftest import TINY
from trainer.audio.folders import DataError
from trainer.bundles.runner import BundleRunner
from trainer.cli import app
from trainer.pages.tsne import Panel, draw, thin, tsne
from trainer.peers.resemblyzer import PeerMissingError, Resemblyzer
from trainer.reproduce.autodecompose.fig7 import fig7
from trainer.reproduce.autodecompose.fig456 import fig456
from trainer.reproduce.autodecompose.hours import planned
from trainer.reproduce.autodecompose.independence import independence
from trainer.reproduce.autodecompose.maps import CLASSES, maps
from trainer.reproduce.autodecompose.material import SETS, first_seconds, most_audio
from trainer.reproduce.autodecompose.overfitting import is_flat, overfitting, parts
from trainer.reproduce.autodecompose.page import reproduce_autodecompose
from trainer.reproduce.autodecompose.phonemes import phonemes
from trainer.reproduce.autodecompose.settings import (
    OBJECTIVES,
    SCALES,
    TESTS,
    UNTRAINED,
    Effort,
    Variant,
    objective_settings,
)
from trainer.reproduce.autodecompose.table2 import PAPER, table2
from trainer.reproduce.autodecompose.table3 import table3
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.reproduce.autodecompose.vectors import vectors
from trainer.reproduce.autodecompose.words import words


def rows(text: str, first: str) -> list[list[str]]:
    """Cells of the table rows whose first cell is `first`."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [cells for cells in lines if cells[0] == first and len(cells) > 1]


def percent(cell: str) -> float:
    value = float(cell.split()[0])
    assert 0 <= value <= 100
    return value


def test_an_effort_ends_with_the_last_epoch_that_fits() -> None:
    assert Effort(500).within(100) == 500
    assert Effort(500, 1700).within(412) == 4
    assert Effort(500, 100).within(412) == 1
    assert Effort(2, 1000).within(10) == 2


def test_the_sets_are_what_the_tests_need(few_clips: Path, runs: AutodecomposeRuns) -> None:
    speakers = {name: {clip.speaker for clip in runs.clips(name)} for name in SETS}
    assert speakers["insiders"] <= speakers["home"]
    assert not speakers["strangers"] & speakers["home"]
    assert speakers["elsewhere"] == {""}
    clips = runs.clips("strangers")
    first, others = first_seconds(clips, 10)
    assert sorted(clip.path for clip in first + others) == [clip.path for clip in clips]
    for name in speakers["strangers"]:
        seconds = [float(clip.labels["seconds"]) for clip in first if clip.speaker == name]
        assert sum(seconds[:-1]) < 10 <= sum(seconds)
    assert most_audio(clips, 1)[0] in most_audio(clips, 2)
    with pytest.raises(DataError, match="not a folder"):
        replace(runs, data=few_clips / "absent").clips("home")


def test_the_tests_are_table_one() -> None:
    tuned = {test.number: test.tuned for test in TESTS}
    assert tuned == {1: "no", 2: "no", 3: "all", 4: "no", 5: "all", 6: "10 s", 7: "10 s", 8: "no", 9: "all"}
    assert [test.number for test in TESTS if test.encoder == "E_c"] == [8, 9]
    assert [test.number for test in TESTS if test.labelled == "insiders"] == [1]
    assert set(PAPER) == set(tuned)
    plain, ours = (objective_settings(name, "large") for name in OBJECTIVES)
    assert (plain.bt_weight, plain.acoustics) == (0, None)
    assert ours.bt_weight > 0
    assert (plain.encoder, plain.frontend, plain.batch) == (ours.encoder, ours.frontend, ours.batch)


def test_the_plan_has_every_training(runs: AutodecomposeRuns) -> None:
    text = planned(runs)
    # 2 of either objective from nothing; on strangers and test-other, all and 10 s, from either of them
    for name, trainings in (("plain, pre-trained", 2), ("ours, fine-tuned", 8), ("overfitting", 1)):
        ((_, count, steps, *hours),) = rows(text, name)
        assert int(count) == trainings
        assert int(steps.replace(",", "")) > 0
        assert len(hours) == 4
    ((_, count, *_),) = rows(text, "in all")
    assert int(count) == 2 * (2 + 8) + 4 + 1


def test_fig7_is_a_grid(runs: AutodecomposeRuns) -> None:
    text = fig7(runs)
    assert "No network, the mel features alone: " in text
    for encoder in TINY.fig7_networks:
        (cells,) = rows(text, encoder)
        assert len(cells) == 2 + len(TINY.fig7_networks)
        assert percent(cells[-1]) > 40
        assert percent(cells[1]) > 40  # two speakers


def test_table2_has_paper_plain_and_ours_for_every_test_and_is_not_made_twice(
    runs: AutodecomposeRuns,
) -> None:
    text = table2(runs)
    for number in PAPER:
        conditions, paper, plain, ours = rows(text, f"Test {number}")
        assert len(conditions) == 5
        assert (paper[1], plain[1], ours[1]) == ("paper", *OBJECTIVES)
        assert percent(paper[2]) == PAPER[number][0]
        assert percent(plain[2])
        assert percent(ours[2])
        assert plain[-1] == "–"  # nobody has 120 s here
    made = {path: path.stat().st_mtime_ns for path in (runs.folder / "rows").rglob("*.json")}
    trained = {path: path.stat().st_mtime_ns for path in (runs.folder / "trained").rglob("*.safetensors")}
    assert len(trained) >= 12
    assert table2(runs) == text
    assert all(path.stat().st_mtime_ns == when for path, when in (made | trained).items())


def test_table3_has_the_supervised_models_and_the_bundle_on_both_sets(
    runs: AutodecomposeRuns, tiny_bundle: Path
) -> None:
    try:
        Resemblyzer.load()
    except PeerMissingError as error:
        pytest.skip(str(error))
    text = table3(runs, tiny_bundle)
    assert len([cells for cells in rows(text, BundleRunner.load(tiny_bundle).id) if percent(cells[3])]) == 2
    for model in ("GE2E", "TDNN"):
        here = [cells for cells in rows(text, model) if cells[2] == "here"]
        assert len(here) == 2
        for cells in here:
            assert percent(cells[3])
            percent(cells[-1])
    assert min(percent(cells[3]) for cells in rows(text, "GE2E")) > 80  # few speakers, a good model


def test_vectors_and_independence_measure_what_there_is_and_train_nothing(
    runs: AutodecomposeRuns, tiny_bundle: Path
) -> None:
    shipped = BundleRunner.load(tiny_bundle, threads=1).id
    runs.model(Variant("plain", "home"))
    trained = sorted((runs.folder / "trained").rglob("*.safetensors"))
    text = vectors(runs, tiny_bundle)
    for name in ("untrained", "home-plain", shipped):
        of_strangers, of_others = [cells for cells in rows(text, name) if cells[1] == "E_c"]
        assert min(percent(cell) for cell in of_strangers[2:] + of_others[2:]) > 10
    assert rows(text, shipped)[0][1:3] == ["E_s", "–"]  # one vector, nothing to flatten
    assert text.count("E_c is above E_s: ") == 2
    assert len(rows(text, "no network")) == 2
    voice, content = runs.lengths([Variant("plain", "home")] * 2), independence(runs, tiny_bundle)
    assert voice[0].startswith("home-plain 1 epochs, ")
    for cells in rows(content, shipped):
        dependence, floor = map(float, cells[1:3])
        assert 0 <= floor < dependence <= 1
    assert sorted((runs.folder / "trained").rglob("*.safetensors")) == trained


def test_overfitting_measures_on_what_was_not_trained(runs: AutodecomposeRuns) -> None:
    trained, rest = parts(runs)
    assert not {clip.path for clip in trained} & {clip.path for clip in rest}
    text = overfitting(runs)
    assert "4 epochs" in text
    (untrained,) = rows(text, "here, the same network untrained")
    assert percent(untrained[1])


def test_a_loss_is_flat_when_a_chunk_hardly_lowers_it() -> None:
    falling = np.geomspace(1, 0.1, 40).tolist()
    assert not is_flat(falling, 10)
    assert is_flat(falling + [0.1] * 20, 10)
    assert not is_flat([0.1] * 19, 10)


def test_phonemes_words_and_maps(runs: AutodecomposeRuns, tiny_bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="alignment needs the `train` extra")
    for objective in (*OBJECTIVES, UNTRAINED):
        scores = {cells[1]: percent(cells[2]) for cells in rows(phonemes(runs), objective)}
        assert set(scores) == {"E_c", "E_s", "mel"}
        assert scores["mel"] > 5  # about thirty phones
        right = {cells[1]: percent(cells[2]) for cells in rows(words(runs, tiny_bundle), objective)}
        assert right["mel"] > 50  # two words
    text = maps(runs, tmp_path / "autodecompose")
    pictures = sorted((tmp_path / "autodecompose").glob("*.png"))
    assert len(pictures) == 5
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert f"(autodecompose/{picture.name})" in text


def test_figs_4_to_6_are_drawn_without_training(
    runs: AutodecomposeRuns, trainable_models: Path, tmp_path: Path
) -> None:
    bundle = next((trainable_models / "autodecompose").iterdir())
    text = fig456(runs, tmp_path / "autodecompose", bundle)
    for file in ("fig4.png", "fig5.png", "fig6.png"):
        assert (tmp_path / "autodecompose" / file).read_bytes().startswith(b"\x89PNG")
        assert f"(autodecompose/{file})" in text


def test_a_map_keeps_clusters_and_few_points(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 40)
    features = rng.normal(size=(80, 5)).astype(np.float32) + 8 * (labels == "b")[:, None]
    points = tsne(features)
    middles = [points[labels == name].mean(axis=0) for name in ("a", "b")]
    spread = max(points[labels == name].std() for name in ("a", "b"))
    assert np.linalg.norm(middles[0] - middles[1]) > spread
    panel = thin(Panel("", features, labels), 10, ["a"])
    assert panel.labels.tolist() == ["a"] * 10
    draw(tmp_path / "map.png", [panel] * 4)
    assert (tmp_path / "map.png").is_file()
    assert CLASSES <= 10  # of matplotlib's colours


def test_other_settings_or_audio_do_not_go_on_in_an_old_training(runs: AutodecomposeRuns) -> None:
    settings = objective_settings("plain", "dense")
    name = Variant("plain", "elsewhere").name
    runs.model(Variant("plain", "elsewhere"))
    with pytest.raises(ValueError, match="other settings or audio"):
        runs.autodecompose(name, settings, runs.clips("three"), TINY.pretrain)


def test_rows_of_another_scale_are_made_again(tmp_path: Path) -> None:
    made: list[int] = []

    def compute() -> dict[str, int]:
        made.append(1)
        return {"made": len(made)}

    for name, expected in (("tiny", 1), ("tiny", 1), ("cpu", 2)):
        scale = {"tiny": TINY, "cpu": SCALES["cpu"]}[name]
        runs = AutodecomposeRuns(folder=tmp_path, console=Console(quiet=True), data=tmp_path, scale=scale)
        assert runs.figures("a/b", compute) == {"made": expected}
    assert json.loads((tmp_path / "rows" / "a" / "b.json").read_text())["figures"] == {"made": 2}
    assert not list(tmp_path.rglob("*.partial"))


def test_the_page_has_a_block_a_part(runs: AutodecomposeRuns, tiny_bundle: Path, tmp_path: Path) -> None:
    page = tmp_path / "results" / "autodecompose.md"
    for _ in range(2):
        reproduce_autodecompose(runs, page, ["words"], tiny_bundle)
    text = page.read_text()
    assert text.startswith("# The Autodecompose paper")
    assert text.count("## Words") == 1
    assert "Scale `tiny`: `dense` networks" in text
    with pytest.raises(ValueError, match="No part table4"):
        reproduce_autodecompose(runs, page, ["table4"], tiny_bundle)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    command = ["reproduce", "autodecompose", "--data", str(tmp_path), "--out", str(tmp_path / "runs")]
    page = ["--page", str(tmp_path / "page.md")]
    for wrong, message in (
        (["--scale", "huge"], "cpu or paper"),
        (["--only", "table4"], "No part"),
        (["--only", "words"], "is not a folder"),
    ):
        result = CliRunner().invoke(app, [*command, *page, *wrong])
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
    assert "--only table2" in CliRunner().invoke(app, ["reproduce", "autodecompose", "--help"]).output
