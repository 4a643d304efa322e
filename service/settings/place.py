"""Where the service listens, and where its files are."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_models() -> Path:
    """The folder of the models that came with this installation: a wheel has them inside."""
    packaged = _PACKAGE / "models"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "models"


class Place(BaseModel):
    """Fields of `Settings`."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on. 0 takes a free port.")
    state_dir: Path = Field(
        default=Path("state"),
        description="Folder of everything that lasts: enrolled voices, jobs, new model versions.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="Redis 7 for voices and jobs, as `redis://HOST:6379/0` or `unix:///path/to/redis.sock`. "
        "Several replicas can share it. Empty: the state folder holds voices and jobs.",
    )
    models_dir: Path = Field(
        default_factory=shipped_models,
        description="Folder of the shipped model bundles. The newest autodecompose in it serves. "
        "Give the path of one model (`models/barlow_twins`) or bundle to serve that instead.",
    )

    @field_validator("redis_url")
    @classmethod
    def _redis_url_leads_to_a_database(cls, value: SecretStr) -> SecretStr:
        if value:
            parts = urlsplit(value.get_secret_value())
            database = parse_qs(parts.query).get("db", ["0"])[0]
            if parts.scheme not in ("redis", "rediss", "unix"):
                raise ValueError("a Redis URL starts with redis://, rediss:// (TLS) or unix://")
            if parts.scheme == "unix" and (parts.hostname or parts.path in ("", "/")):
                raise ValueError("write a socket as unix:///path/to/redis.sock, with three slashes")
            if parts.scheme != "unix" and parts.path not in ("", "/"):
                database = parts.path[1:]
            if not re.fullmatch(r"[0-9]+", database):
                raise ValueError("the database of a Redis URL is a number, as in redis://HOST:6379/0")
        return value
