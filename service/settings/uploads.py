"""How much audio a request and a client may send."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator


class Uploads(BaseModel):
    """Fields of `Settings`."""

    max_bytes: int = Field(default=64 * 2**20, ge=1024, description="Largest request body, in bytes.")
    max_files: int = Field(default=32, ge=1, description="Most audio files in one request.")
    max_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Longest audio in one request, in seconds: all files together, after decoding.",
    )
    upload_timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time a request body may take, in seconds."
    )
    min_upload_bytes_per_s: int = Field(
        default=1024,
        ge=0,
        description="Least rate of a request body after its first five seconds, in bytes per second. "
        "A slower one gets status 400.",
    )
    max_in_flight: int = Field(
        default=64, ge=1, description="Most audio requests at once. Further requests get status 429."
    )
    max_upload_memory_bytes: int = Field(
        default=2**30,
        ge=1024,
        description="Most memory for all uploads at once, in bytes: twice the body, and what is "
        "decoded from it. Further requests get status 429. Recordings that wait for a diarization in the "
        "background may fill as much again, and so may archives that wait to be enrolled.",
    )
    requests_per_minute: int = Field(
        default=0,
        ge=0,
        description="Most requests of one client a minute, at each replica. Further ones get status 429. "
        "0: no limit. A client is a tenant or a key; without keys, an address.",
    )
    audio_seconds_per_minute: float = Field(
        default=0.0,
        ge=0,
        description="Most audio of one client a minute, in seconds, at each replica. A client that is over "
        "it gets status 429 until the minutes have made up for it. 0: no limit.",
    )
    decode_threads: int = Field(default=2, ge=1, description="Threads that decode audio and find speech.")

    @model_validator(mode="after")
    def _one_upload_fits(self) -> Self:
        least = 2 * self.max_bytes
        if self.max_upload_memory_bytes < least:
            raise ValueError(
                f"TWOFOLD_MAX_UPLOAD_MEMORY_BYTES must be at least {least}, twice TWOFOLD_MAX_BYTES"
            )
        return self
