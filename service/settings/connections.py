"""How many connections are open, and how long."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Connections(BaseModel):
    """Fields of `Settings`."""

    max_connections: int = Field(
        default=512,
        ge=1,
        description="Most open connections. One more closes the one that has waited longest for a request; "
        "if none waits, the new one is closed.",
    )
    client_timeout_s: float = Field(
        default=20.0,
        gt=0,
        description="Longest time for the headers of a request, and for a client to take up its answer, in "
        "seconds. Then the connection is closed.",
    )
    keep_alive_s: int = Field(
        default=75,
        ge=1,
        description="Time that an idle connection stays open, in seconds. Keep it longer than a proxy's.",
    )
    shutdown_grace_s: int = Field(
        default=30, ge=0, description="Longest wait for open requests after SIGTERM, in seconds."
    )
