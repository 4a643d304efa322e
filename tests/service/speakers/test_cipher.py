"""Retained recordings at rest: encrypted in both stores, and readable for as long as the key is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.fernet import Fernet
from redis import Redis

from service.speakers import AudioCipher, Embedding, Gallery, NewUtterance, RedisGallery, SqliteGallery

RECORDING = b"OggS" + np.random.default_rng(0).bytes(5000)
Open = Callable[[AudioCipher], Gallery]


def sqlite(request: pytest.FixtureRequest) -> tuple[Open, Callable[[], bytes]]:
    folder: Path = request.getfixturevalue("tmp_path")
    return (
        lambda cipher: SqliteGallery(folder / "gallery.sqlite", cipher),
        lambda: b"".join(file.read_bytes() for file in folder.iterdir()),
    )


def redis(request: pytest.FixtureRequest) -> tuple[Open, Callable[[], bytes]]:
    url: str = request.getfixturevalue("empty_redis_url")

    def stored() -> bytes:
        with Redis.from_url(url) as client:
            return b"".join(client.mget(client.keys("twofold:audio:*")))

    return lambda cipher: RedisGallery(url, cipher), stored


@pytest.mark.parametrize("make", [sqlite, redis], ids=lambda make: make.__name__)
def test_recordings_are_encrypted_and_keys_rotate(
    make: Callable[..., tuple[Open, Callable[[], bytes]]], request: pytest.FixtureRequest
) -> None:
    open_gallery, stored = make(request)
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def enrol(cipher: AudioCipher, speaker_id: str) -> int:
        gallery = open_gallery(cipher)
        utterance = NewUtterance(6.0, 20.0, "m/1", Embedding(np.ones(8, np.float32), 6, 0.5), RECORDING)
        speaker = gallery.enrol(speaker_id, name=None, metadata={}, utterances=[utterance])
        gallery.close()
        return speaker.utterances[0].utterance_id

    def read(cipher: AudioCipher, utterance_id: int) -> bytes | None:
        gallery = open_gallery(cipher)
        audio = gallery.audio(utterance_id)
        gallery.close()
        return audio

    first = enrol(AudioCipher([old]), "ada")
    assert RECORDING[100:200] not in stored()
    assert read(AudioCipher([old]), first) == RECORDING
    assert read(AudioCipher([new, old]), first) == RECORDING
    assert read(AudioCipher([new]), first) is None
    assert read(AudioCipher(), first) is None
    second = enrol(AudioCipher([new, old]), "bob")
    assert read(AudioCipher([new]), second) == RECORDING
    third = enrol(AudioCipher(), "eve")
    assert RECORDING[100:200] in stored()
    assert read(AudioCipher([new]), third) == RECORDING
