"""Retained recordings as they lie in a store: encrypted where there is a key."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_MARK = b"gAAAA"  # how every Fernet token begins; no audio file does
_log = structlog.get_logger(__name__)


class AudioCipher:
    """Fernet (AES-128-CBC, HMAC-SHA256). The first key encrypts, every key decrypts: they can be rotated."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """Without keys, recordings are stored as they are. A key: 32 bytes in URL-safe base64."""
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, recording: bytes) -> bytes:
        """What is stored of a recording."""
        return self._fernet.encrypt(recording) if self._fernet else recording

    def unseal(self, stored: bytes) -> bytes | None:
        """The recording, also one stored before there was a key. Without its key None, and a log line."""
        if not stored.startswith(_MARK):
            return stored
        try:
            if self._fernet:
                return self._fernet.decrypt(stored)
        except InvalidToken:
            pass
        _log.error("retained_audio_unreadable", reason="TWOFOLD_AUDIO_KEY is not the key it was stored with")
        return None
