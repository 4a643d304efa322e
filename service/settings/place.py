"""Where the service listens, and where its files are."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

_CHECKOUT = Path(__file__).resolve().parents[2]


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
        description="Redis 7 for voices and jobs, as `redis://HOST:6379/0`. Several replicas can share it. "
        "Empty: the state folder holds voices and jobs.",
    )
    models_dir: Path = Field(
        default=_CHECKOUT / "models",
        description="Folder of the shipped model bundles. The newest autodecompose in it serves. "
        "Give the path of one model (`models/barlow_twins`) or bundle to serve that instead.",
    )

    @field_validator("redis_url")
    @classmethod
    def _redis_url_has_a_scheme(cls, value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("a Redis URL starts with redis://, rediss:// (TLS) or unix://")
        return value
