"""The manifest and the hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.errors import Conflict
from service.inference import Bundle, BundleError, bundle_folders


@pytest.fixture
def folder(tmp_path: Path, write_bundle: Any) -> Path:
    path: Path = write_bundle(tmp_path, "1.2.3")
    return path


def _change(folder: Path, **fields: object) -> None:
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | fields))


def test_load_reads_every_field(folder: Path) -> None:
    bundle = Bundle.load(folder)
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
        Bundle.load(folder)
    assert Bundle.read(folder).version == "1.2.3"  # still listed


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "content.onnx").unlink()
    with pytest.raises(BundleError, match=r"content\.onnx .*cannot be read"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 2}, "format"),
        ({"version": "../1"}, "version"),
        ({"sample_rate_hz": 8000}, "sample_rate_hz"),
        ({"embedding_dim": 9}, "scoring.mean has 8 values, not 9"),
        ({"files": {}}, "files lacks voice"),
        ({"content_dim": None}, "are given together, or none of them"),
        ({"frame_s": None}, "are given together, or none of them"),
        ({"frame_s": None, "content_dim": None}, "are given together, or none of them"),
        ({"files": {"voice": {"path": "/etc/passwd", "sha256": "0" * 64, "bytes": 1}}}, "path"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_refused(
    folder: Path, fields: dict[str, object], message: str
) -> None:
    _change(folder, **fields)
    with pytest.raises(BundleError, match=message):
        Bundle.read(folder)


def test_entries_by_length_are_checked(folder: Path) -> None:
    scoring = json.loads((folder / "bundle.json").read_text())["scoring"]
    assert Bundle.read(folder).scoring.by_seconds == ()
    fit = {key: scoring[key] for key in ("calibration", "false_accept")}
    _change(folder, scoring=scoring | {"by_seconds": [{"seconds": s} | fit for s in (1, 4)]})
    assert [entry.seconds for entry in Bundle.read(folder).scoring.by_seconds] == [1, 4]
    for seconds, message in (((4, 1), "have to grow"), ((1, 1), "have to grow"), ((0, 1), "greater than 0")):
        _change(folder, scoring=scoring | {"by_seconds": [{"seconds": s} | fit for s in seconds]})
        with pytest.raises(BundleError, match=message):
            Bundle.read(folder)


def test_content_may_be_absent_but_is_not_offered_then(tmp_path: Path, write_bundle: Any) -> None:
    bundle = Bundle.load(write_bundle(tmp_path, "0.1.0", name="barlow_twins"))
    assert (bundle.kind, bundle.frame_s, bundle.content_dim) == ("barlow_twins", None, None)
    with pytest.raises(Conflict, match=r"barlow_twins/0\.1\.0 has no content encoder"):
        bundle.content_hop()


@pytest.mark.parametrize("under", ["", "autodecompose", "autodecompose/1.2.3"])
def test_bundles_are_found_under_models_one_model_or_themselves(
    folder: Path, tmp_path: Path, under: str
) -> None:
    assert bundle_folders(tmp_path / under) == [folder]


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_manifest_that_is_no_json_object_is_refused(folder: Path, text: str) -> None:
    (folder / "bundle.json").write_text(text, encoding="latin-1")
    with pytest.raises(BundleError, match="not a bundle manifest"):
        Bundle.read(folder)
