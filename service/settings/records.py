"""What is written down: retained recordings, the audit log, the log and traces."""

from __future__ import annotations

import base64
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from service.settings.values import listed


class Records(BaseModel):
    """Fields of `Settings`."""

    max_speakers: int = Field(
        default=0,
        ge=0,
        description="Most enrolled speakers of one tenant; keys without a tenant are one together. Further "
        "enrolments get status 429. 0: no limit.",
    )
    audio_key: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts retained recordings: 32 bytes in URL-safe base64. To rotate keys, list several "
        "with commas: the first encrypts, all decrypt. A recording is lost without its key. "
        "Recordings of fine-tuning jobs are encrypted too: a worker needs the same keys.",
    )
    audit_log: Path | None = Field(
        default=None,
        description="File of the audit log: who asked what about whom, and what was decided. One JSON object "
        "a line, without audio and embeddings. Empty: off. Each replica needs a file of its own.",
    )
    audit_log_bytes: int = Field(
        default=64 * 2**20, ge=1024, description="Size at which a new audit log is begun, in bytes."
    )
    audit_log_files: int = Field(
        default=10, ge=2, description="Most files of the audit log. The oldest is deleted for a new one."
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Log level: debug, info, warning or error.",
    )

    traces_url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="Where traces go: a collector's OTLP over HTTP, as `http://127.0.0.1:4318/v1/traces`. "
        "Needs the extra `traces`. Empty: no traces.",
    )

    @field_validator("audio_key")
    @classmethod
    def _audio_keys_are_32_bytes(cls, value: SecretStr) -> SecretStr:
        for key in listed(value):
            try:
                fits = len(base64.urlsafe_b64decode(key)) == 32
            except ValueError:
                fits = False
            if not fits:
                raise ValueError("a key is 32 bytes in URL-safe base64: `openssl rand -base64 32 | tr +/ -_`")
        return value

    @property
    def audio_keys(self) -> tuple[str, ...]:
        """The keys of retained recordings; the first encrypts."""
        return listed(self.audio_key)
