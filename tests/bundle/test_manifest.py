"""The manifest and the hashes."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from bundle.folders import bundle_folders
from bundle.manifest import BundleError
from bundle.space_map import apply_map, read_map
from bundle.voice import VoiceBundle


def _change(folder: Path, **fields: object) -> None:
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | fields))


def test_load_reads_every_field(folder: Path) -> None:
    bundle = VoiceBundle.load(folder)
    assert bundle.id == "autodecompose/1.2.3"
    assert bundle.embedding_dim == len(bundle.scoring.mean) == 8
    assert bundle.open("voice") == (folder / "voice.onnx").read_bytes()
    assert len(bundle.sha256) == 64


@pytest.mark.parametrize("name", ["voice", "content"])
def test_a_changed_file_is_refused(folder: Path, name: str) -> None:
    file = folder / f"{name}.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError, match=rf"{name}\.onnx of autodecompose/1\.2\.3 .*sha256"):
        VoiceBundle.load(folder)
    assert VoiceBundle.read(folder).version == "1.2.3"  # still listed


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "content.onnx").unlink()
    with pytest.raises(BundleError, match=r"content\.onnx .*cannot be read"):
        VoiceBundle.load(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 3}, "format"),
        ({"adaptation": "voice"}, "needs format 2"),
        ({"format": 2, "adaptation": "nothing"}, "nothing among files"),
        ({"version": "../1"}, "version"),
        ({"sample_rate_hz": 8000}, "sample_rate_hz"),
        ({"embedding_dim": 9}, "scoring.mean has 8 values, not 9"),
        ({"files": {}}, "files lacks voice"),
        ({"content_dim": None}, "are given together, or none of them"),
        ({"frame_s": None}, "are given together, or none of them"),
        ({"frame_s": None, "content_dim": None}, "are given together, or none of them"),
        ({"files": {"voice": {"path": "../voice.onnx", "sha256": "0" * 64, "bytes": 1}}}, "path"),
        ({"files": {"voice": {"path": "/etc/passwd", "sha256": "0" * 64, "bytes": 1}}}, "path"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_refused(
    folder: Path, fields: dict[str, object], message: str
) -> None:
    _change(folder, **fields)
    with pytest.raises(BundleError, match=message):
        VoiceBundle.read(folder)


def test_entries_by_length_are_checked(folder: Path) -> None:
    scoring = json.loads((folder / "bundle.json").read_text())["scoring"]
    assert VoiceBundle.read(folder).scoring.by_seconds == ()
    fit = {key: scoring[key] for key in ("calibration", "false_accept")}
    _change(folder, scoring=scoring | {"by_seconds": [{"seconds": s} | fit for s in (1, 4)]})
    assert [entry.seconds for entry in VoiceBundle.read(folder).scoring.by_seconds] == [1, 4]
    for seconds, message in (((4, 1), "have to grow"), ((1, 1), "have to grow"), ((0, 1), "greater than 0")):
        _change(folder, scoring=scoring | {"by_seconds": [{"seconds": s} | fit for s in seconds]})
        with pytest.raises(BundleError, match=message):
            VoiceBundle.read(folder)


def test_content_may_be_absent(folder: Path) -> None:
    files = json.loads((folder / "bundle.json").read_text())["files"]
    _change(folder, kind="barlow_twins", frame_s=None, content_dim=None, files={"voice": files["voice"]})
    bundle = VoiceBundle.load(folder)
    assert (bundle.kind, bundle.frame_s, bundle.content_dim) == ("barlow_twins", None, None)


def _add_map(folder: Path, data: bytes) -> VoiceBundle:
    files = json.loads((folder / "bundle.json").read_text())["files"]
    (folder / "map.npy").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    _change(
        folder,
        files=files | {"map": {"path": "map.npy", "sha256": digest, "bytes": len(data)}},
        map_from_parent={"parent": "autodecompose/1.2.2", "file": "map", "error": 0.1},
    )
    return VoiceBundle.load(folder)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_map_is_read_and_applied(folder: Path) -> None:
    turn = np.eye(8)[::-1]
    bundle = _add_map(folder, _npy(np.vstack([turn, np.full(8, 0.5)])))
    assert bundle.map_from_parent is not None
    table = read_map(bundle, bundle.map_from_parent)
    assert table.dtype == np.float32
    voices = np.arange(16, dtype=np.float32).reshape(2, 8)
    np.testing.assert_allclose(apply_map(table, voices), voices[:, ::-1] + 0.5)


@pytest.mark.parametrize("data", [b"", b"no array", _npy(np.eye(8)), _npy(np.array([None]))])
def test_a_damaged_map_is_refused(folder: Path, data: bytes) -> None:
    bundle = _add_map(folder, data or b"\0")
    assert bundle.map_from_parent is not None
    with pytest.raises(BundleError, match=r"map of autodecompose/1\.2\.3 is no map"):
        read_map(bundle, bundle.map_from_parent)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Give the folder that holds bundle\.json"):
        VoiceBundle.load(tmp_path)


@pytest.mark.parametrize("under", ["", "autodecompose", "autodecompose/1.2.3"])
def test_bundles_are_found_under_models_one_model_or_themselves(
    folder: Path, tmp_path: Path, under: str
) -> None:
    assert bundle_folders(tmp_path / under) == [folder]


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_manifest_that_is_no_json_object_is_refused(folder: Path, text: str) -> None:
    (folder / "bundle.json").write_text(text, encoding="latin-1")
    with pytest.raises(BundleError, match="not a bundle manifest"):
        VoiceBundle.read(folder)
