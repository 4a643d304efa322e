"""How the networks run, and how much waits for them."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Inference(BaseModel):
    """Fields of `Settings`."""

    inference_threads: int = Field(
        default=0, ge=0, description="Threads of one ONNX call. 0: what the container's CPU quota allows."
    )
    max_batch: int = Field(default=32, ge=1, description="Most 1.024 s crops in one ONNX call.")
    max_queue: int = Field(
        default=2048,
        ge=1,
        description="Most 1.024 s crops waiting for inference. Further requests get status 429.",
    )
    max_clips: int = Field(
        default=64, ge=1, description="Most clips waiting to be generated. Further requests get status 429."
    )
