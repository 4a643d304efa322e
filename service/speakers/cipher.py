"""Encrypts retained recordings, if there is a key."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_MARK = b"gAAAA"  # every Fernet token begins so, and no audio file does
_log = structlog.get_logger(__name__)


class AudioCipher:
    """Fernet (AES-128-CBC, HMAC-SHA256). The first key encrypts and all decrypt, so keys can be rotated."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """A key is 32 bytes in URL-safe base64. Without keys, recordings are not encrypted."""
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, recording: bytes) -> bytes:
        """The bytes to store for a recording."""
        return self._fernet.encrypt(recording) if self._fernet else recording

    def unseal(self, stored: bytes) -> bytes | None:
        """The recording, also if it was stored without a key. Logs and returns None if its key is missing."""
        if not stored.startswith(_MARK):
            return stored
        try:
            if self._fernet:
                return self._fernet.decrypt(stored)
        except InvalidToken:
            pass
        _log.error("retained_audio_unreadable", reason="TWOFOLD_AUDIO_KEY lacks the key that encrypted it")
        return None
