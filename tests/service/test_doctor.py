"""What `twofold doctor` says of sound and of damaged installations, and that it changes neither."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from cryptography.fernet import Fernet
from redis import Redis

from service.doctor import Finding, examine
from service.speakers import Embedding, NewUtterance, SqliteGallery
from service.speakers.cipher import AudioCipher
from service.stores.folder_lock import folder_lock
from tests.conftest import StartRedis

MODEL = "autodecompose/0.1.0"
UTTERANCE = NewUtterance(6.0, 20.0, MODEL, Embedding(np.ones(8, np.float32), 6, 0.5), b"RIFF recording")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where all of it happens. The tiny models are shipped."""
    for name in [name for name in os.environ if name.startswith("TWOFOLD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TWOFOLD_MODELS_DIR", str(tiny_models))
    monkeypatch.setenv("TWOFOLD_PORT", "0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults() -> list[Finding]:
    return [finding for finding in examine() if finding.verdict == "wrong"]


def said(subject: str) -> str:
    return "\n".join(finding.text for finding in examine() if finding.subject == subject)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def enrol(folder: Path, *speaker_ids: str, cipher: AudioCipher | None = None) -> None:
    with closing(SqliteGallery(folder / "state" / "speakers.sqlite", cipher)) as gallery:
        for speaker_id in speaker_ids:
            gallery.enrol(speaker_id, name=None, metadata={}, utterances=[UTTERANCE])


def test_the_command_says_what_is_here_and_makes_nothing(place: Path) -> None:
    (place / ".env").write_text(f"TWOFOLD_API_KEYS={'k' * 20}\nTWOFOLD_MAX_FILES=7\nTWOFOLD_PRT=1\n")
    command = [sys.executable, "-m", "service", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "TWOFOLD_MAX_FILES=7 (.env)" in done.stdout
    assert "TWOFOLD_API_KEYS=(secret) (.env)" in done.stdout
    assert "kkk" not in done.stdout
    assert "autodecompose/0.2.0 would serve" in done.stdout
    assert "WRONG  settings: TWOFOLD_PRT is not a setting. Did you mean TWOFOLD_PORT?" in done.stdout
    assert done.stdout.endswith("1 to be mended.\n")
    assert [path.name for path in place.iterdir()] == [".env"]
    (place / ".env").write_text("TWOFOLD_API_KEY=x")
    assert "Did you mean TWOFOLD_API_KEYS?" in faults()[0].text
    (place / ".env").unlink()
    assert faults() == []


def test_a_sound_store_is_read_also_beside_its_service(place: Path) -> None:
    enrol(place, "ann", "bob")
    before = content(place)
    assert faults() == []
    assert "2 speakers" in said("voices")
    assert f"{MODEL} would serve" in said("model")  # both are enrolled under it
    assert content(place) == before
    with folder_lock(place / "state"), closing(SqliteGallery(place / "state" / "speakers.sqlite")) as gallery:
        gallery.enrol("eve", name=None, metadata={}, utterances=[UTTERANCE])
        assert f"process {os.getpid()}" in said("state folder")
        assert "3 speakers" in said("voices")
        assert faults() == []


def test_a_damaged_or_later_store_is_wrong(place: Path) -> None:
    enrol(place, *(f"speaker {i}" for i in range(40)))
    file = place / "state" / "speakers.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + bytes(4096) + whole[8192:])
    (fault,) = faults()
    assert (fault.subject, "is damaged" in fault.text) == ("voices", True)
    file.write_bytes(b"no database at all" * 1000)
    assert "is damaged" in faults()[0].text
    later = bytearray(whole)
    later[60:64] = (99).to_bytes(4, "big")  # PRAGMA user_version
    file.write_bytes(later)
    assert "A later release wrote" in faults()[0].text


def test_recordings_without_their_key_are_wrong(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key().decode()
    enrol(place, "ann", cipher=AudioCipher([key]))
    assert "TWOFOLD_AUDIO_KEY lacks their key" in faults()[0].text
    monkeypatch.setenv("TWOFOLD_AUDIO_KEY", key)
    assert faults() == []


def test_models_that_are_damaged_or_gone_are_wrong(
    place: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_models, place / "models")
    monkeypatch.setenv("TWOFOLD_MODELS_DIR", "models")
    (place / "models" / "autodecompose" / "0.2.0" / "voice.onnx").write_bytes(b"other")
    assert {fault.subject for fault in faults()} == {"models", "model"}
    shutil.rmtree(place / "models")
    assert {fault.subject for fault in faults()} == {"models", "model"}


def test_what_would_keep_a_service_from_starting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOFOLD_HOST", "0.0.0.0")
    monkeypatch.setenv("TWOFOLD_KEYS_FILE", "none.json")
    monkeypatch.setenv("TWOFOLD_AUDIT_LOG", "none/audit.log")
    assert ["TWOFOLD_AUDIT_LOG" in faults()[0].text, "TWOFOLD_KEYS_FILE" in faults()[1].text] == [True, True]
    monkeypatch.delenv("TWOFOLD_KEYS_FILE")
    assert "no keys" in faults()[1].text
    monkeypatch.setenv("TWOFOLD_PORT", "many")
    assert "TWOFOLD_PORT: " in faults()[0].text


def test_a_redis_that_forgets_is_wrong(start_redis: StartRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start_redis()
    monkeypatch.setenv("TWOFOLD_REDIS_URL", server.url)
    with Redis.from_url(server.url) as client:
        client.config_set("appendonly", "yes")
        assert faults() == []
        assert "0 speakers" in said("voices")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "allkeys-lru")
    assert ["appendonly is no" in fault.text for fault in faults()] == [True, False]
    server.stop()
    (fault,) = faults()
    assert "cannot be used" in fault.text
