"""What a figure is of: which audio, whose labels, which representation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from trainer.gaae.objective import Autoencoder
from trainer.metrics import frechet_distance, inception_score
from trainer.reproduce.gaae import accuracies, figures, tables
from trainer.reproduce.gaae.judge import judge
from trainer.reproduce.gaae.recipes import Training, training
from trainer.reproduce.gaae.scores import generated, real_scores, scores
from trainer.reproduce.gaae.workshop import Workshop


@pytest.fixture(scope="module")
def own(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A folder of its own, so that every row is computed here."""
    return Workshop(
        shop.data, shop.corpora, tmp_path_factory.mktemp("measures"), shop.scale, Console(quiet=True)
    )


@pytest.fixture(scope="module")
def gaae(own: Workshop) -> Training:
    return training(own.scale, "gaae", "digits", length="long")


def of_judge(shop: Workshop, task: str, x: torch.Tensor) -> torch.Tensor:
    net = judge(shop, task).net
    with torch.no_grad():
        logits: torch.Tensor = net(x)
    return logits


def test_scores_of_real_audio(own: Workshop) -> None:
    train, test = own.heard("digits", "train"), own.heard("digits", "test")
    logits, of_train = (of_judge(own, "digits", heard.x) for heard in (test, train))
    found = real_scores(own, "digits", "test")
    assert found["fid"] == pytest.approx(frechet_distance(of_train.numpy(), logits.numpy()), rel=1e-3)
    named = float((logits.argmax(dim=1).numpy() == test.y).mean())
    assert found["recognised"] == pytest.approx(100 * named)
    assert real_scores(own, "digits", "train")["fid"] is None


def test_scores_of_generated_samples_are_against_train_and_their_own_labels(
    own: Workshop, gaae: Training
) -> None:
    x, y = generated(own, gaae, own.scale.samples)
    logits = of_judge(own, "digits", x)
    of_train = of_judge(own, "digits", own.heard("digits", "train").x)
    found = scores(own, gaae, "digits")
    assert found["is"] == pytest.approx(inception_score(logits.numpy())[0], rel=1e-3)
    assert found["fid"] == pytest.approx(frechet_distance(of_train.numpy(), logits.numpy()), rel=1e-3)
    named = float((logits.argmax(dim=1).numpy() == y).mean())
    assert found["recognised"] == pytest.approx(100 * named)
    assert scores(own, gaae, "gender")["recognised"] is None  # its labels are no genders


def test_c_names_the_guided_representation_of_test_audio(own: Workshop, gaae: Training) -> None:
    networks, test = own.networks(gaae), own.heard("digits", "test")
    assert isinstance(networks, Autoencoder)
    with torch.no_grad():
        named = networks.C(networks.E(test.x)[0]).argmax(dim=1).numpy()
    expected = 100 * float((named == test.y).mean())
    assert accuracies.of_model(own, gaae) == (pytest.approx(expected), None)


def test_mixed_is_all_of_train_and_what_gaae_generates(
    own: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[tuple[int, int]] = []
    train, count = own.heard("digits", "train"), own.scale.classifier_samples

    def learn(x: torch.Tensor, y: np.ndarray[tuple[int], np.dtype[np.int64]], *_: object) -> torch.nn.Module:
        learnt.append((len(x), int((y[: len(train.y)] == train.y[: len(y)]).all())))
        return judge(own, "digits").net

    monkeypatch.setattr(accuracies, "train_classifier", learn)
    tables.table4(own)
    assert [size for size, _ in learnt] == [len(train.y), count, count, count, len(train.y) + count]
    assert (learnt[0][1], learnt[-1][1]) == (1, 1)  # these begin with train


def test_the_maps_are_of_the_guided_the_general_and_whom(own: Workshop, gaae: Training) -> None:
    guided, general, whom = figures._maps(own, "digits")
    test, networks = own.heard("digits", "test"), own.networks(gaae)
    with torch.no_grad():
        z, style = networks.E(test.x)
    for panel, expected in ((guided, z), (general, style), (whom, style)):
        np.testing.assert_allclose(panel.features, expected.numpy(), atol=1e-4)
    assert guided.title.startswith("z,")
    assert list(general.labels[:3]) == [clip.labels["word"] for clip in test.clips[:3]]
    assert list(whom.labels[:3]) == [clip.speaker for clip in test.clips[:3]]


def test_a_figure_is_made_again_when_what_it_depends_on_is_another(own: Workshop, gaae: Training) -> None:
    asked = []

    def compute() -> dict[str, float]:
        asked.append(1)
        return {"accuracy": float(len(asked))}

    shorter = Training("gaae", "digits", 50, "short")
    assert own.row("accuracy/x", compute, gaae) == own.row("accuracy/x", compute, gaae) == {"accuracy": 1.0}
    assert own.row("accuracy/x", compute, shorter) == {"accuracy": 2.0}
    assert own.row("accuracy/x", compute) == {"accuracy": 3.0}
    assert Path(own.folder / "rows" / "accuracy" / "x.json").is_file()
