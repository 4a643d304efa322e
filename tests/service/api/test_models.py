"""GET /models, POST /models/{version}/activate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx


def test_lists_every_version(http: httpx.Client) -> None:
    answer = http.get("/models").json()
    assert answer["active"] == "0.2.0"
    assert [model["version"] for model in answer["models"]] == ["0.1.0", "0.2.0"]
    for model in answer["models"]:
        assert model.keys() == {"name", "version", "kind", "sha256", "created_at", "parent", "metrics"}
        assert model["metrics"] == {"eer": 50.0}
    assert len({model["sha256"] for model in answer["models"]}) == 2


def test_switching_is_kept_over_a_restart(start_service: Any, tiny_models: Path, tmp_path: Path) -> None:
    service = start_service(tiny_models, state_dir=tmp_path / "state")
    with service.client() as http:
        answer = http.post("/models/0.1.0/activate")
        assert answer.status_code == 200
        assert answer.json()["active"] == "0.1.0"
        assert http.get("/models").json()["active"] == "0.1.0"
    service.stop()
    again = start_service(tiny_models, state_dir=tmp_path / "state")
    with again.client() as http:
        assert http.get("/readyz").json()["model"] == "autodecompose/0.1.0"
    again.stop()


def test_unknown_and_damaged_versions_are_refused(
    start_service: Any, write_bundle: Any, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    damaged = write_bundle(models, "1.0.0", day=1)
    write_bundle(models, "1.1.0", day=2)
    (damaged / "voice.onnx").write_bytes(b"tampered with")
    service = start_service(models)
    with service.client() as http:
        unknown = http.post("/models/9.9.9/activate")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        refused = http.post("/models/1.0.0/activate")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "voice.onnx" in refused.json()["detail"]
        assert str(tmp_path) not in refused.text
        assert http.get("/models").json()["active"] == "1.1.0"
    service.stop()
