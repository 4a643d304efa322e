"""What a figure is of: which audio, whose labels, which representation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.gaae.objective import Autoencoder
from trainer.metrics import frechet_distance, inception_score
from trainer.reproduce.gaae import accuracies, figures, tables
from trainer.reproduce.gaae.judge import judge
from trainer.reproduce.gaae.recipes import Training, first_run
from trainer.reproduce.gaae.scores import generated, real_scores, scores
from trainer.reproduce.gaae.trainings import GaaeRuns


@pytest.fixture(scope="module")
def fresh_runs(runs: GaaeRuns, tmp_path_factory: pytest.TempPathFactory) -> GaaeRuns:
    """An empty folder, so that every row is computed here."""
    return replace(runs, folder=tmp_path_factory.mktemp("measures"), _spectrograms={}, train_logits={})


@pytest.fixture(scope="module")
def gaae(fresh_runs: GaaeRuns) -> Training:
    return first_run(fresh_runs.scale, "gaae", "digits", length="long")


def of_judge(runs: GaaeRuns, task: str, x: torch.Tensor) -> torch.Tensor:
    net = judge(runs, task).net
    with torch.no_grad():
        logits: torch.Tensor = net(x)
    return logits


def test_scores_of_real_audio(fresh_runs: GaaeRuns) -> None:
    train, test = fresh_runs.spectrograms("digits", "train"), fresh_runs.spectrograms("digits", "test")
    logits, of_train = (of_judge(fresh_runs, "digits", part.x) for part in (test, train))
    score = real_scores(fresh_runs, "digits", "test")
    assert score["fid"] == pytest.approx(frechet_distance(of_train.numpy(), logits.numpy()), rel=1e-3)
    named = float((logits.argmax(dim=1).numpy() == test.y).mean())
    assert score["recognised"] == pytest.approx(100 * named)
    assert real_scores(fresh_runs, "digits", "train")["fid"] is None


def test_scores_of_generated_samples_are_against_train_and_their_own_labels(
    fresh_runs: GaaeRuns, gaae: Training
) -> None:
    x, y = generated(fresh_runs, gaae, fresh_runs.scale.samples)
    logits = of_judge(fresh_runs, "digits", x)
    of_train = of_judge(fresh_runs, "digits", fresh_runs.spectrograms("digits", "train").x)
    score = scores(fresh_runs, gaae, "digits")
    assert score["is"] == pytest.approx(inception_score(logits.numpy())[0], rel=1e-3)
    assert score["fid"] == pytest.approx(frechet_distance(of_train.numpy(), logits.numpy()), rel=1e-3)
    named = float((logits.argmax(dim=1).numpy() == y).mean())
    assert score["recognised"] == pytest.approx(100 * named)
    assert scores(fresh_runs, gaae, "gender")["recognised"] is None  # its labels are no genders


def test_c_names_the_guided_representation_of_test_audio(fresh_runs: GaaeRuns, gaae: Training) -> None:
    networks, test = fresh_runs.networks(gaae), fresh_runs.spectrograms("digits", "test")
    assert isinstance(networks, Autoencoder)
    with torch.no_grad():
        named = networks.C(networks.E(test.x)[0]).argmax(dim=1).numpy()
    expected = 100 * float((named == test.y).mean())
    assert accuracies.of_model(fresh_runs, gaae) == (pytest.approx(expected), None)


def test_mixed_is_all_of_train_and_what_gaae_generates(
    fresh_runs: GaaeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[tuple[int, int]] = []
    train, count = fresh_runs.spectrograms("digits", "train"), fresh_runs.scale.classifier_samples

    def learn(x: torch.Tensor, y: np.ndarray[tuple[int], np.dtype[np.int64]], *_: object) -> torch.nn.Module:
        learnt.append((len(x), int((y[: len(train.y)] == train.y[: len(y)]).all())))
        return judge(fresh_runs, "digits").net

    monkeypatch.setattr(accuracies, "train_classifier", learn)
    tables.table4(fresh_runs)
    assert [size for size, _ in learnt] == [len(train.y), count, count, count, len(train.y) + count]
    assert (learnt[0][1], learnt[-1][1]) == (1, 1)  # these begin with train


def test_the_maps_are_of_the_guided_the_general_and_whom(fresh_runs: GaaeRuns, gaae: Training) -> None:
    guided, general, whom = figures._maps(fresh_runs, "digits")
    test, networks = fresh_runs.spectrograms("digits", "test"), fresh_runs.networks(gaae)
    with torch.no_grad():
        z, style = networks.E(test.x)
    for panel, expected in ((guided, z), (general, style), (whom, style)):
        np.testing.assert_allclose(panel.features, expected.numpy(), atol=1e-4)
    assert guided.title.startswith("z,")
    assert list(general.labels[:3]) == [clip.labels["word"] for clip in test.clips[:3]]
    assert list(whom.labels[:3]) == [clip.speaker for clip in test.clips[:3]]


def test_a_figure_is_made_again_when_what_it_depends_on_is_another(
    fresh_runs: GaaeRuns, gaae: Training
) -> None:
    calls = []

    def compute() -> dict[str, float]:
        calls.append(1)
        return {"accuracy": float(len(calls))}

    shorter = Training("gaae", "digits", 50, "short")
    assert (
        fresh_runs.figures("accuracy/x", compute, gaae)
        == fresh_runs.figures("accuracy/x", compute, gaae)
        == {"accuracy": 1.0}
    )
    assert fresh_runs.figures("accuracy/x", compute, shorter) == {"accuracy": 2.0}
    assert fresh_runs.figures("accuracy/x", compute) == {"accuracy": 3.0}
    assert Path(fresh_runs.folder / "rows" / "accuracy" / "x.json").is_file()
