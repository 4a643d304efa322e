"""A training and its bundle through the command line, on real speech."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from tests.trainer.gaae.conftest import LABELS
from trainer.bundles.write import TOLERANCE
from trainer.cli import app
from trainer.gaae.export import frozen
from trainer.gaae.networks import Decoder
from trainer.gaae.run import TrainedGaae
from trainer.gaae.settings import GaaeSettings
from trainer.gaae.sheet import standing_statistics
from trainer.gaae.spectrogram import NormalisedLogSpectrogram


@pytest.fixture(scope="module")
def run(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "gaae"
    command = ["gaae", "--labelled", str(small_corpora / "arabic_speech_commands"), "--out", str(out)]
    command += ["--cache", str(out.parent / "cache"), "--share", "30", "--pool", "classes"]
    for label in LABELS:
        command += ["--label", label]
    for change in ("channels=2", "batch=4", "labelled_batch=2", "iterations=3"):
        command += ["--set", change]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def bundle(run: Path) -> Path:
    folder = run.parent / "models" / "gaae" / "0.1.0"
    done = CliRunner().invoke(app, ["export", str(run), "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def answer(bundle: Path, name: str, **inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(bundle / f"{name}.onnx", providers=["CPUExecutionProvider"])
    (output,) = session.run(None, inputs)
    return np.asarray(output)


def test_the_bundle_says_what_the_service_needs(bundle: Path, small_corpora: Path) -> None:
    text = (bundle / "bundle.json").read_text()
    manifest = json.loads(text)
    assert {name: manifest[name] for name in ("format", "name", "version", "kind", "labels")} == {
        "format": 1,
        "name": "gaae",
        "version": "0.1.0",
        "kind": "gaae",
        "labels": list(LABELS),
    }
    assert (manifest["latent_dim"], manifest["guided_dim"], manifest["sample_rate_hz"]) == (128, 128, 16_000)
    assert manifest["prior"] == {"distribution": "normal", "mean": 0.0, "std": 1.0}
    assert manifest["spectrogram"] == {
        "sample_rate_hz": 8000,
        "window": 256,
        "hop": 128,
        "bins": 128,
        "frames": 64,
        "r": 10.0,
        "window_shape": "hann",
    }
    assert manifest["files"].keys() == {"generator", "style", "guided", "classifier"}
    card = manifest["training"]
    assert (card["iterations"], card["guidance"]["labelled"]) == (3, "arabic_speech_commands")
    assert str(small_corpora) not in text  # a card names no path of the machine


def test_waveforms_go_in_as_torch_reads_them(run: Path, bundle: Path, seconds: torch.Tensor) -> None:
    trained = TrainedGaae.load(run)
    with torch.no_grad():
        spectrogram = NormalisedLogSpectrogram(trained.settings.spectrogram)(seconds)
        guided, style = trained.networks.E(spectrogram)
        logits = trained.networks.C(guided)
    for name, expected in (("style", style), ("guided", guided), ("classifier", logits)):
        got = answer(bundle, name, waveform=seconds.numpy())
        np.testing.assert_allclose(got, expected.numpy(), atol=TOLERANCE, rtol=0)
    assert logits.shape == (6, 3)


def test_the_generator_answers_a_latent_and_a_label(run: Path, bundle: Path) -> None:
    trained = TrainedGaae.load(run)
    z = torch.randn(3, 128, generator=torch.Generator().manual_seed(1))[[0, 0, 1]]
    label = torch.tensor([0, 1, 0])
    got = answer(bundle, "generator", z=z.numpy(), label=label.numpy())
    assert got.shape == (3, 128, 64)
    assert np.abs(got).max() <= 1
    assert np.abs(got[0] - got[1]).max() > 1e-3  # another label
    assert np.abs(got[0] - got[2]).max() > 1e-3  # another latent
    with torch.no_grad():
        expected = standing_statistics(trained.networks.D, 128, 3)(z, torch.eye(3)[label])
    np.testing.assert_allclose(got, expected.numpy(), atol=TOLERANCE, rtol=0)


def test_a_second_export_into_the_same_version_is_refused(run: Path, bundle: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(run), "--out", str(bundle)])
    assert done.exit_code == 1
    assert "never written twice" in " ".join(done.output.split())


def test_standing_statistics_are_those_of_generated_batches(tiny: GaaeSettings) -> None:
    torch.manual_seed(0)
    decoder = Decoder(tiny, 3).eval()
    standing = standing_statistics(decoder, 128, 3)
    z = torch.randn(512, 128)
    y = torch.eye(3)[torch.arange(512) % 3]
    first = standing.get_submodule("blocks.0.norm1.norm")
    with torch.no_grad():
        x = decoder.dense(z).unflatten(1, (-1, 4, 2))
        expected = x.mean(dim=(0, 2, 3))
        spread = standing(z, y).std()
    torch.testing.assert_close(first.get_buffer("running_mean"), expected, atol=0.1, rtol=0)
    torch.testing.assert_close(first.get_buffer("running_var"), x.var(dim=(0, 2, 3)), atol=0, rtol=0.2)
    assert float(spread) > 0
    unchanged = decoder.get_buffer("blocks.0.norm1.norm.running_mean")
    assert float(unchanged.abs().max()) == 0


def test_freezing_leaves_the_network_as_it_computes(tiny: GaaeSettings) -> None:
    torch.manual_seed(0)
    decoder = Decoder(tiny, 3).eval()
    z, y = torch.randn(2, 128), torch.eye(3)[:2]
    with torch.no_grad():
        torch.testing.assert_close(frozen(decoder)(z, y), decoder(z, y))
    assert not any("parametrizations" in name for name, _ in frozen(decoder).named_parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "--preset is one of small, tapered, paper"),
        (["--pool", "some"], "--pool is one of all, classes"),
        (["--label-column", "gender"], "Name the classes of gender"),
        (["--set", "sixty"], "name=value"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, options: list[str], message: str) -> None:
    done = CliRunner().invoke(
        app, ["gaae", "--labelled", str(tmp_path), "--out", str(tmp_path / "x"), *options]
    )
    assert done.exit_code == 1
    assert message in " ".join(done.output.split())
