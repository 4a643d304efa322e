"""GET /models, POST /models/{version}/activate, DELETE /models/{version}."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from service.api.deps import (
    AuditDep,
    DecoderDep,
    DirectoryDep,
    GenerationDep,
    JobsDep,
    RegistryDep,
    TenantDep,
    active_bundle,
)
from service.api.problems import problem_responses
from service.errors import Forbidden
from service.jobs import remove_version

router = APIRouter(tags=["models"])


class ModelAnswer(BaseModel):
    """One version of a model."""

    name: str
    version: str
    kind: str
    sha256: str = Field(description="Hash of bundle.json, which holds the hash of every file.")
    created_at: datetime
    parent: str | None = Field(description="The version it was fine-tuned from.")
    metrics: dict[str, Any]


class ModelsAnswer(BaseModel):
    """Every version, oldest first, and the one that serves."""

    active: str | None = Field(description="The version that serves; null before it is loaded.")
    model: str | None = Field(description="The same as name/version.")
    generator: str | None = Field(description="The model of POST /generate, as name/version, or null.")
    models: list[ModelAnswer]
    notices: list[str] = Field(description="What GET /readyz notices of models and voices.")


class CarryOverAnswer(BaseModel):
    """What became of the enrolled speakers: how many of each sort."""

    reembedded: int = Field(description="Got a new voiceprint from retained audio.")
    mapped: int = Field(
        description="Got a voiceprint by the linear map from the parent version, or on the way back to it, "
        "since no audio was retained. GET /speakers gives its `map_error`."
    )
    kept: int = Field(description="Had a voiceprint already, because this version has served before.")
    stale: int = Field(description="Have no voiceprint: /identify skips them until audio is added.")


class ActivateAnswer(BaseModel):
    """The version that serves now."""

    active: str
    model: str
    speakers: CarryOverAnswer


@router.get("/models")
async def list_models(
    registry: RegistryDep, directory: DirectoryDep, generation: GenerationDep, tenant: TenantDep
) -> ModelsAnswer:
    """Lists every version and the one that serves. A tenant sees what is shipped, what serves and its own."""
    active = registry.active.id if registry.active else None
    bundles = [
        bundle
        for bundle in await asyncio.to_thread(registry.list)
        if bundle.id == active or tenant.sees_version(bundle.version)
    ]
    generator = await generation.find()
    return ModelsAnswer(
        active=registry.active.version if registry.active else None,
        model=active,
        generator=generator.id if generator else None,
        models=[ModelAnswer.model_validate(bundle, from_attributes=True) for bundle in bundles],
        notices=[*registry.notices, *directory.notices] if tenant.is_operator else [],
    )


@router.delete("/models/{version:path}", status_code=204, responses=problem_responses(404, 409, 503))
async def remove_model(
    version: Annotated[str, Path(max_length=100, examples=["ft-20261121-083015-7f3a52"])],
    registry: RegistryDep,
    directory: DirectoryDep,
    jobs: JobsDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> None:
    """Removes a fine-tuned version, for good. Enrolled voices stay.

    Refused are the version that serves, its parent, and a version that an unfinished job or enrolled voices
    need.
    """
    if not tenant.is_operator:
        raise Forbidden("A version may be another's parent: only a key without a tenant removes it.")
    await remove_version(version, jobs, registry, directory)
    audit("remove_model", version=version)


@router.post("/models/{version:path}/activate", responses=problem_responses(404, 409, 429, 503))
async def activate_model(
    version: Annotated[str, Path(max_length=100, examples=["1.0.0"])],
    registry: RegistryDep,
    directory: DirectoryDep,
    decoder: DecoderDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> ActivateAnswer:
    """Switches to a version, or back to an earlier one. Answers once that version serves.

    `version` may be given as name/version; it has to be where two models have the version.

    Other requests are answered meanwhile. Only the operator may do this: a version serves all tenants.
    """
    if not tenant.is_operator:
        raise Forbidden("A version serves all tenants: only a key without a tenant activates it.")
    carried = await directory.activate(registry, version, decoder)
    bundle = active_bundle(registry)
    audit("activate", model=bundle.id)
    return ActivateAnswer(
        active=bundle.version,
        model=bundle.id,
        speakers=CarryOverAnswer.model_validate(carried, from_attributes=True),
    )
