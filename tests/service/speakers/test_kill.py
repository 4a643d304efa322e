"""kill -9 at any moment: what was acknowledged stays, and nothing is there by halves."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from service.speakers import SqliteGallery

ENROLMENTS = 50
KILLS = 8
MODEL = "autodecompose/0.2.0"


def enrol(url: str, speaker_id: str, recordings: list[bytes]) -> bool:
    """Whether it was acknowledged; False when the server died over it."""
    try:
        answer = httpx.post(
            f"{url}/speakers",
            data={"speaker_id": speaker_id, "name": f"name of {speaker_id}", "retain_audio": "true"},
            files=[("audio", (f"{i}.opus", audio)) for i, audio in enumerate(recordings)],
            timeout=60,
        )
    except httpx.TransportError:
        return False
    assert answer.status_code == 201, answer.text
    return True


def check(gallery: SqliteGallery, acknowledged: set[str], attempted: set[str], files: int) -> None:
    """Everything acknowledged is there; what is there is whole: the same recordings, the same rows."""
    speakers = gallery.list(limit=1000).speakers
    ids = {speaker.speaker_id for speaker in speakers}
    assert acknowledged <= ids <= attempted
    expected = [gallery.audio(utterance.utterance_id) for utterance in speakers[0].utterances]
    assert len(expected) == files
    assert all(audio and audio.startswith(b"OggS") for audio in expected)
    sizes = [len(audio or b"") for audio in expected]  # their bytes differ: Ogg streams have random numbers
    voiceprint = speakers[0].voiceprint(MODEL)
    assert voiceprint is not None
    for speaker in speakers:
        assert speaker.name == f"name of {speaker.speaker_id}"
        assert [len(gallery.audio(u.utterance_id) or b"") for u in speaker.utterances] == sizes
        np.testing.assert_allclose(speaker.voiceprint(MODEL), voiceprint, atol=1e-5)
    (complaints,) = gallery._file._db.execute("PRAGMA integrity_check").fetchone()
    assert complaints == "ok"
    assert gallery._file._db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_killed_server_keeps_its_word(
    start_service: Any, tiny_models: Any, voices: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    recordings = sorted((v.short for v in voices), key=len)[-3:]  # together more than 5 s of speech
    chance = random.Random(0)
    kill_at = set(chance.sample(range(1, ENROLMENTS), KILLS))
    acknowledged: set[str] = set()
    attempted: set[str] = set()
    server = start_service(tiny_models, state_dir=state)
    deaths, typical_s = 0, 0.0
    for i in range(ENROLMENTS):
        speaker_id = f"s{i:02d}"
        attempted.add(speaker_id)
        killer = None
        if i in kill_at:
            # Anywhere from before the body is read to after the answer.
            killer = threading.Timer(chance.uniform(0, 1.2 * typical_s), server.process.kill)
            killer.start()
        started = time.perf_counter()
        if enrol(server.url, speaker_id, recordings):
            acknowledged.add(speaker_id)
            typical_s = time.perf_counter() - started
        if killer:
            killer.join()
            server.process.wait()
            deaths += 1
            gallery = SqliteGallery(state / "speakers.sqlite")
            check(gallery, acknowledged, attempted, len(recordings))
            gallery.close()
            server = start_service(tiny_models, state_dir=state)
    assert deaths == KILLS
    assert len(acknowledged) >= ENROLMENTS - KILLS
    with server.client() as http:
        shown = http.get("/speakers", params={"limit": 1000}).json()["speakers"]
        assert acknowledged <= {s["speaker_id"] for s in shown}
        # The index that the last server read holds every one of them.
        probe = http.post("/identify", files={"audio": ("a.opus", recordings[-1])}).json()
        assert probe["searched"] == len(shown)
    server.stop()
    gallery = SqliteGallery(state / "speakers.sqlite")
    check(gallery, acknowledged, attempted, len(recordings))
    gallery.close()
