from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trainer.bundles.read import Bundle, BundleError


@pytest.mark.parametrize("crops", [1, 2, 7, 65])
def test_runs_its_sessions_at_any_batch_size(tiny_bundle: Path, crops: int) -> None:
    bundle = Bundle.load(tiny_bundle, threads=1)
    waveforms = np.random.default_rng(0).normal(size=(crops, 16384)).astype(np.float32)
    embeddings = bundle.embed(waveforms)
    assert embeddings.shape == (crops, 16)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(embeddings[-1:], bundle.embed(waveforms[-1:]), atol=1e-5)
    assert bundle.content(waveforms).shape == (crops, 64, 8)
    assert bundle.id == "tiny/0.0.1"


def test_changed_file_is_refused(tiny_bundle: Path) -> None:
    with (tiny_bundle / "voice.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleError, match=r"voice\.onnx has sha256"):
        Bundle.load(tiny_bundle)


def test_missing_file_is_refused(tiny_bundle: Path) -> None:
    (tiny_bundle / "content.onnx").unlink()
    with pytest.raises(BundleError, match=r"content\.onnx cannot be read"):
        Bundle.load(tiny_bundle)


def test_folder_without_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"folder that holds bundle\.json"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("format", 2, "format 1"),
        ("sample_rate_hz", 8000, "sample_rate_hz"),
        ("embedding_dim", 4, r"scoring\.mean"),
        ("files", {"voice": {"path": "../voice.onnx", "sha256": "", "bytes": 1}}, "own folder"),
    ],
)
def test_wrong_descriptions_are_refused(tiny_bundle: Path, key: str, value: object, complaint: str) -> None:
    description = tiny_bundle / "bundle.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {key: value}))
    with pytest.raises(BundleError, match=complaint):
        Bundle.load(tiny_bundle)


def test_absent_encoder_is_named(tiny_bundle: Path) -> None:
    description = tiny_bundle / "bundle.json"
    manifest = json.loads(description.read_text())
    del manifest["files"]["content"], manifest["content_dim"], manifest["frame_s"]
    description.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"tiny/0\.0\.1 has no content encoder, only voice"):
        Bundle.load(tiny_bundle).content(np.zeros((1, 16384), np.float32))


def test_entries_by_length_decide(tiny_bundle: Path) -> None:
    description = tiny_bundle / "bundle.json"
    manifest = json.loads(description.read_text())
    without = Bundle.load(tiny_bundle).manifest.scoring
    assert without.threshold(0.01, seconds=1) == without.threshold(0.01)
    assert without.calibration_at(1) == without.calibration
    entries = [
        {
            "seconds": seconds,
            "calibration": {"slope": slope, "intercept": -slope},
            "false_accept": [{"fpr": 0.1, "threshold": at}, {"fpr": 0.01, "threshold": at + 0.2}],
        }
        for seconds, slope, at in ((1, 10, 0.1), (4, 20, 0.3))
    ]
    manifest["scoring"]["by_seconds"] = entries
    description.write_text(json.dumps(manifest))
    scoring = Bundle.load(tiny_bundle).manifest.scoring
    assert [scoring.threshold(0.01, seconds=s) for s in (0.5, 2, 60)] == pytest.approx([0.3, 0.4, 0.5])
    assert [scoring.calibration_at(s).slope for s in (0.5, 2, 60)] == pytest.approx([10, 15, 20])
    assert scoring.threshold(0.01) == pytest.approx(0.7)  # of whole recordings
    manifest["scoring"]["by_seconds"] = entries[::-1]
    description.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="have to grow"):
        Bundle.load(tiny_bundle)


def test_threshold_holds_each_of_many_voices_to_a_smaller_rate(tiny_bundle: Path) -> None:
    scoring = Bundle.load(tiny_bundle).manifest.scoring  # 0.5 at 10 %, 0.7 at 1 %
    assert scoring.threshold(0.01) == pytest.approx(0.7)
    assert scoring.threshold(10**-1.5) == pytest.approx(0.6)  # halfway in log(fpr)
    assert scoring.threshold(1e-6) == pytest.approx(0.7)  # the table ends here
    assert scoring.threshold(1 - 0.9**2, voices=2) == pytest.approx(0.5)
