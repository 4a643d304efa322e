from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bundle.manifest import BundleError
from trainer.bundles.runner import BundleRunner


@pytest.mark.parametrize("crops", [1, 2, 7, 65])
def test_runs_its_sessions_at_any_batch_size(tiny_bundle: Path, crops: int) -> None:
    bundle = BundleRunner.load(tiny_bundle, threads=1)
    waveforms = np.random.default_rng(0).normal(size=(crops, 16384)).astype(np.float32)
    embeddings = bundle.embed(waveforms)
    assert embeddings.shape == (crops, 16)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(embeddings[-1:], bundle.embed(waveforms[-1:]), atol=1e-5)
    assert bundle.content(waveforms).shape == (crops, 64, 8)
    assert bundle.id == "tiny/0.0.1"


def test_a_changed_file_is_refused(tiny_bundle: Path) -> None:
    with (tiny_bundle / "voice.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleError, match=r"voice\.onnx of tiny/0\.0\.1 .*sha256"):
        BundleRunner.load(tiny_bundle)


def test_absent_encoder_is_named(tiny_bundle: Path) -> None:
    description = tiny_bundle / "bundle.json"
    manifest = json.loads(description.read_text())
    del manifest["files"]["content"], manifest["content_dim"], manifest["frame_s"]
    description.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"tiny/0\.0\.1 has no content encoder, only voice"):
        BundleRunner.load(tiny_bundle).content(np.zeros((1, 16384), np.float32))
