"""GET /models, POST /models/{version}/activate."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from service.api.deps import RegistryDep
from service.api.problems import problem_responses

router = APIRouter(tags=["models"])


class Model(BaseModel):
    """One version."""

    name: str
    version: str
    kind: str
    sha256: str = Field(description="Of bundle.json, which holds the hash of every file.")
    created_at: datetime
    parent: str | None = Field(description="The version it was fine-tuned from.")
    metrics: dict[str, Any]


class Models(BaseModel):
    """Every version, oldest first, and which one serves."""

    active: str | None = Field(description="The version that serves; null before it is loaded.")
    models: list[Model]


class Activated(BaseModel):
    """The version that serves now."""

    active: str
    model: str


@router.get("/models")
def list_models(registry: RegistryDep) -> Models:
    """Every version, which one serves."""
    return Models(
        active=registry.active.version if registry.active else None,
        models=[Model.model_validate(bundle, from_attributes=True) for bundle in registry.list()],
    )


@router.post("/models/{version}/activate", responses=problem_responses(404, 409))
async def activate(
    version: Annotated[str, Path(max_length=100, examples=["1.0.0"])], registry: RegistryDep
) -> Activated:
    """Switches to a version, or back. Requests go on meanwhile; the answer comes when it serves."""

    async def nothing_to_carry(_: object) -> None:
        return None

    await registry.activate(version, nothing_to_carry)
    return Activated(active=version, model=registry.active.id if registry.active else version)
