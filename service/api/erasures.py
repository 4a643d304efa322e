"""GET /erasures: what is still being erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.api.deps import EraserDep, TenantDep
from service.api.problems import problem_responses
from service.tenants import shown

router = APIRouter(prefix="/erasures", tags=["speakers"])


class ErasureAnswer(BaseModel):
    """An erasure that is not finished."""

    erasure_id: str
    speaker_id: str | None = Field(
        description="Null once jobs are clean: from then on only files of the store may hold traces."
    )
    requested_at: datetime


class LeftAnswer(BaseModel):
    """A place that is not clean yet."""

    place: str
    reason: str


class ErasuresAnswer(BaseModel):
    """Empty lists: nothing of any erased voice is left."""

    erasures: list[ErasureAnswer]
    left: list[LeftAnswer] = Field(description="What was not clean when it was looked at last.")


@router.get("", responses=problem_responses(503))
async def list_erasures(eraser: EraserDep, tenant: TenantDep) -> ErasuresAnswer:
    """Lists erasures that are still being worked off, and why. A finished one leaves no trace here."""
    erasures = [erasure for erasure in await eraser.erasures() if erasure.tenant == tenant.name]
    left: Mapping[str, str] = eraser.left if erasures else {}
    if not tenant.is_operator:  # a folder may be of another tenant's job
        left = {place.partition("/")[0]: reason for place, reason in left.items()}
    return ErasuresAnswer(
        erasures=[
            ErasureAnswer(
                erasure_id=erasure.erasure_id,
                speaker_id=erasure.speaker_id and shown(erasure.speaker_id),
                requested_at=erasure.requested_at,
            )
            for erasure in erasures
        ],
        left=[LeftAnswer(place=place, reason=reason) for place, reason in left.items()],
    )
