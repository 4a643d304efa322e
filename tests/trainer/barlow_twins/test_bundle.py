from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

from bundle.manifest import BundleError
from trainer.audio.folders import contiguous_crops, read_audio, read_folder
from trainer.barlow_twins.bundle import BarlowTwinsVoiceGraph, barlow_twins_voice
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.bundles.runner import BundleRunner
from trainer.bundles.voice import export_voice_bundle
from trainer.bundles.write import TOLERANCE
from trainer.cli import app
from trainer.scoring.whitening import Whitening
from trainer.training.checkpoint import load_checkpoint, read_settings

SETTINGS = BarlowTwinsSettings(width=2, projector_width=16, latent=8)


@pytest.fixture(scope="module")
def bundle(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network's, with whitening and scoring fitted on real speech."""
    torch.manual_seed(0)
    folder: Path = tmp_path_factory.mktemp("models") / "barlow_twins" / "0.1.0"
    clips = read_folder(examples)
    export_voice_bundle(
        barlow_twins_voice(BarlowTwins(SETTINGS)), clips, folder, training={"data": ["examples"]}
    )
    return folder


@pytest.fixture(scope="module")
def crops(examples: Path) -> np.ndarray:
    clip = read_folder(examples)[0]
    return contiguous_crops(read_audio(clip.path))[:7]


def test_a_bundle_of_a_voice_and_nothing_else(bundle: Path, crops: np.ndarray) -> None:
    manifest = json.loads((bundle / "bundle.json").read_text())
    assert (manifest["name"], manifest["version"], manifest["kind"]) == (
        "barlow_twins",
        "0.1.0",
        "barlow_twins",
    )
    assert manifest["files"].keys() == {"voice", "weights"}
    assert manifest.keys().isdisjoint({"content_dim", "frame_s"})
    assert manifest["scoring"]["fitted_on"] == "train speakers of examples"
    assert "by_seconds" not in manifest["scoring"]  # six speakers are too few
    loaded = BundleRunner.load(bundle, threads=1)
    embeddings = loaded.embed(crops)
    assert embeddings.shape == (7, loaded.manifest.embedding_dim) == (7, 8 * SETTINGS.width)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    with pytest.raises(BundleError, match=r"barlow_twins/0\.1\.0 has no content encoder"):
        loaded.content(crops)


def test_its_weights_are_the_network_that_the_graph_runs(bundle: Path, crops: np.ndarray) -> None:
    weights = bundle / "weights.safetensors"
    assert BarlowTwinsSettings.from_json(read_settings(weights)) == SETTINGS
    torch.manual_seed(1)  # another network, before the weights are read
    objective = BarlowTwins(SETTINGS)
    load_checkpoint(weights, {"objective": objective})
    constants = {one.name: one for one in onnx.load(bundle / "voice.onnx").graph.initializer}
    whitening = Whitening(
        *(onnx.numpy_helper.to_array(constants[name]).copy() for name in ("mean", "matrix"))
    )
    with torch.no_grad():
        expected = BarlowTwinsVoiceGraph(objective.eval(), whitening)(torch.from_numpy(crops))
    voice = BundleRunner.load(bundle)
    np.testing.assert_allclose(voice.embed(crops), expected, atol=TOLERANCE)
    np.testing.assert_allclose(voice.embed(crops[:1]), expected[:1], atol=TOLERANCE)


def test_the_middle_second_alone_counts(bundle: Path, crops: np.ndarray) -> None:
    changed = crops.copy()
    changed[:, :192] = changed[:, -192:] = 0.5
    voice = BundleRunner.load(bundle)
    np.testing.assert_array_equal(voice.embed(changed), voice.embed(crops))


def test_it_is_adapted_but_takes_no_steps(bundle: Path, examples: Path, tmp_path: Path) -> None:
    clips = [str(clip.path) for clip in read_folder(examples)[:4]]
    out = tmp_path / "barlow_twins" / "1.0.0"
    command = ["finetune", str(bundle), *clips, "--out", str(out)]
    refused = CliRunner().invoke(app, [*command, "--steps", "1"])
    assert refused.exit_code == 1
    assert "With 0 steps it is adapted" in " ".join(refused.output.split())
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    crops = contiguous_crops(read_audio(Path(clips[0])))[:2]
    assert not np.allclose(
        BundleRunner.load(out).embed(crops), BundleRunner.load(bundle).embed(crops), atol=1e-4
    )


def test_measuring_its_content_says_that_there_is_none(bundle: Path, examples: Path) -> None:
    data = str(examples)
    result = CliRunner().invoke(
        app, ["evaluate", str(bundle), "--data", data, "--split", "test", "--encoder", "content"]
    )
    assert result.exit_code == 1
    assert "has no content encoder" in " ".join(result.output.split())
