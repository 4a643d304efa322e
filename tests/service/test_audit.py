"""The audit log: a line a decision, and nothing of the voice."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.audit import AuditLog
from service.cli import app
from service.keys import read_keys
from tests.service.conftest import StartService


def test_every_decision_has_a_line_and_nothing_of_the_voice(
    start_service: StartService, tiny_models: Path, speech: bytes, tmp_path: Path
) -> None:
    keys, file = tmp_path / "keys", tmp_path / "audit.jsonl"
    made = CliRunner().invoke(app, ["keys", "new", "--tenant", "acme", "--file", str(keys)])
    service = start_service(tiny_models, keys_file=keys, audit_log=file)
    with service.client() as http:
        http.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
        audio = {"files": {"audio": ("Ada Lovelace.ogg", speech)}}
        nobody = http.post("/identify", **audio).json()
        form = {"speaker_id": "ada", "name": "Ada Lovelace", "collection": "staff"}
        enrolled = http.post("/speakers", data=form, **audio)
        assert enrolled.status_code == 201, enrolled.text
        http.post("/speakers", data={"speaker_id": "ada"}, **audio)  # refused: nothing was done
        http.post("/speakers/ada/audio", **audio)
        http.post("/verify", data={"speaker_id": "ada", "threshold": "-1", "collection": "staff"}, **audio)
        http.delete("/speakers/ada", headers={"X-Request-ID": "trace-me"})
        http.post("/models/0.1.0/activate")
        http.get("/models", headers={"Authorization": "Bearer unknown"})
    service.stop()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["action"] for line in lines] == [
        *("identify", "enrol", "add_audio", "verify", "erase"),
        "refused",
    ]
    by_action = {line["action"]: line for line in lines}
    (key,) = read_keys(keys)
    assert {(line["key"], line["tenant"]) for line in lines[:-1]} == {(key.key_id, "acme")}
    assert {line["speaker_id"] for line in lines[:-1]} == {"ada", None}
    assert by_action["identify"]["speaker_id"] is nobody["match"] is None
    assert by_action["identify"]["threshold"] == nobody["threshold"]
    assert by_action["verify"]["accepted"] is True
    assert [by_action[action]["collection"] for action in ("identify", "enrol", "verify")] == [
        [],
        ["staff"],
        ["staff"],
    ]
    assert by_action["erase"]["request_id"] == "trace-me"
    assert by_action["refused"] | {"time": "", "request_id": ""} == {
        "time": "",
        "request_id": "",
        "action": "refused",
        "route": "GET /models",
        "reason": "unknown key",
    }
    assert "Lovelace" not in file.read_text()
    assert max(len(line) for line in file.read_text().splitlines()) < 400  # no embedding
    assert file.stat().st_mode & 0o077 == 0


def test_files_are_rotated_and_nothing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    for start in (0, 10):  # a restart adds to the file
        log = AuditLog(file, max_bytes=2000, files=20)
        for number in range(start, start + 10):
            log.write("identify", number=number, padding="x" * 500)
        log.close()
    files = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert len(files) > 4
    assert all(path.stat().st_size <= 2000 for path in files)
    numbers = [json.loads(line)["number"] for path in files for line in path.read_text().splitlines()]
    assert sorted(numbers) == list(range(20))


def test_a_disk_that_refuses_a_line_stops_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    log = AuditLog(tmp_path / "audit.jsonl", max_bytes=10**6, files=2)
    monkeypatch.setattr(logging.StreamHandler, "flush", full)
    log.write("identify", speaker_id="ada")
    monkeypatch.undo()
    log.close()
    assert "ada" not in caplog.text


def test_without_a_file_or_its_folder(tmp_path: Path) -> None:
    off = AuditLog(None, max_bytes=1, files=2)
    off.write("identify")
    off.close()
    missing = {"TWOFOLD_AUDIT_LOG": str(tmp_path / "nowhere" / "audit.jsonl")}
    result = CliRunner().invoke(app, ["serve"], env=missing)
    assert result.exit_code == 2
    assert "TWOFOLD_AUDIT_LOG" in result.stderr
