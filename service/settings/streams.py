"""How long live streams (WebSockets) and recordings in the background may be, and how many there are."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Streams(BaseModel):
    """Fields of `Settings`."""

    max_streams: int = Field(
        default=128, ge=1, description="Most live streams (WebSockets) at once. Further ones get status 429."
    )
    max_streams_per_client: int = Field(
        default=16, ge=1, description="Most live streams of one client at once, at each replica."
    )
    max_stream_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="Longest sound of one live stream, in seconds. Then it is ended and diarized.",
    )
    stream_idle_s: float = Field(
        default=30.0, gt=0, description="A live stream without sound for so long is ended, in seconds."
    )
    background_seconds: float = Field(
        default=4 * 3600.0,
        gt=0,
        description="Longest recording that POST /diarize takes with background=true, in seconds.",
    )
    background_keep_s: float = Field(
        default=3600.0,
        gt=0,
        description="How long the answers of such diarizations are kept in memory, and the reports of bulk "
        "enrolments in the store, in seconds.",
    )
