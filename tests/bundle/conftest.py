from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

DIM = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle folder whose files are no ONNX: manifest and hashes are all that is read of it."""
    path = tmp_path / "autodecompose" / "1.2.3"
    path.mkdir(parents=True)
    files = {}
    for name in ("voice", "content"):
        data = name.encode() * 100
        (path / f"{name}.onnx").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        files[name] = {"path": f"{name}.onnx", "sha256": digest, "bytes": len(data)}
    manifest = {
        "format": 1,
        "name": "autodecompose",
        "version": "1.2.3",
        "kind": "autodecompose",
        "created_at": "2026-01-01T00:00:00Z",
        "sample_rate_hz": 16000,
        "crop_samples": 16384,
        "frame_s": 0.016,
        "embedding_dim": DIM,
        "content_dim": 4,
        "files": files,
        "scoring": {
            "score_type": "centred_cosine",
            "mean": [0.1] * DIM,
            "calibration": {"slope": 10.0, "intercept": -5.0},
            "false_accept": [{"fpr": 0.1, "threshold": 0.5}, {"fpr": 0.01, "threshold": 0.7}],
            "fitted_on": "nothing",
        },
    }
    (path / "bundle.json").write_text(json.dumps(manifest))
    return path
