"""GET /models, POST /models/{version}/activate."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from service.api.deps import DecoderDep, DirectoryDep, GenerationDep, RegistryDep
from service.api.problems import problem_responses

router = APIRouter(tags=["models"])


class ModelAnswer(BaseModel):
    """One version."""

    name: str
    version: str
    kind: str
    sha256: str = Field(description="Of bundle.json, which holds the hash of every file.")
    created_at: datetime
    parent: str | None = Field(description="The version it was fine-tuned from.")
    metrics: dict[str, Any]


class ModelsAnswer(BaseModel):
    """Every version, oldest first, and which one serves."""

    active: str | None = Field(description="The version that serves; null before it is loaded.")
    generator: str | None = Field(description="The model of POST /generate, as name/version; null: none.")
    models: list[ModelAnswer]


class CarryOverAnswer(BaseModel):
    """What became of the enrolled speakers, in numbers of them."""

    reembedded: int = Field(description="Got a new voiceprint from retained audio.")
    mapped: int = Field(
        description="Got one by the map from the parent version, for want of audio; see `map_error` "
        "of GET /speakers."
    )
    kept: int = Field(description="Had a voiceprint already: this version has served before.")
    stale: int = Field(description="Have none: not found by /identify until audio is added.")


class ActivateAnswer(BaseModel):
    """The version that serves now."""

    active: str
    model: str
    speakers: CarryOverAnswer


@router.get("/models")
async def list_models(registry: RegistryDep, generation: GenerationDep) -> ModelsAnswer:
    """Every version, which one serves."""
    bundles = await asyncio.to_thread(registry.list)
    generator = await generation.find()
    return ModelsAnswer(
        active=registry.active.version if registry.active else None,
        generator=generator.id if generator else None,
        models=[ModelAnswer.model_validate(bundle, from_attributes=True) for bundle in bundles],
    )


@router.post("/models/{version}/activate", responses=problem_responses(404, 409, 429, 503))
async def activate(
    version: Annotated[str, Path(max_length=100, examples=["1.0.0"])],
    registry: RegistryDep,
    directory: DirectoryDep,
    decoder: DecoderDep,
) -> ActivateAnswer:
    """Switches to a version, or back. Requests go on meanwhile; the answer comes when it serves."""
    carried = await directory.activate(registry, version, decoder)
    return ActivateAnswer(
        active=version,
        model=registry.active.id if registry.active else version,
        speakers=CarryOverAnswer.model_validate(carried, from_attributes=True),
    )
