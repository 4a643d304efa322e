"""/thresholds: what POST /calibrate stored for collections. Lists and removes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from service.api.deps import AuditDep, DirectoryDep, RegistryDep, TenantDep, active_bundle
from service.api.problems import problem_responses
from service.speakers.collections import COLLECTION
from service.speakers.thresholds import PointName, StoredThreshold

router = APIRouter(prefix="/thresholds", tags=["recognition"])


class ThresholdAnswer(BaseModel):
    """The stored threshold of a collection."""

    model_config = ConfigDict(from_attributes=True)

    collection: str
    threshold: float = Field(description="Of one comparison. Among more voices, more is required.")
    point: PointName = Field(description="Which point of the error curves it is.")
    model: str = Field(description="The model that it was measured with.")
    counts: bool = Field(description="Whether that model serves. Otherwise the threshold does not count.")
    false_accept_rate: float
    false_reject_rate: float
    own_trials: int
    stranger_trials: int
    stored_at: datetime


class ThresholdsAnswer(BaseModel):
    """All stored thresholds."""

    thresholds: list[ThresholdAnswer]


def threshold_answer(stored: StoredThreshold, model: str) -> ThresholdAnswer:
    """The threshold as answers show it while `model` serves."""
    return ThresholdAnswer(**vars(stored), counts=stored.model == model)


@router.get("", responses=problem_responses(503))
async def list_thresholds(
    directory: DirectoryDep, registry: RegistryDep, tenant: TenantDep
) -> ThresholdsAnswer:
    """Lists the stored thresholds, and whether they count under the model that serves."""
    bundle = active_bundle(registry)
    await directory.index(bundle)  # with the first one, they are read from the store
    return ThresholdsAnswer(
        thresholds=[threshold_answer(stored, bundle.id) for stored in directory.thresholds.of(tenant)]
    )


@router.delete("/{collection}", status_code=204, responses=problem_responses(404, 503))
async def remove_threshold(
    collection: Annotated[str, Path(pattern=COLLECTION)],
    directory: DirectoryDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> None:
    """Removes the threshold of a collection. From then on `target_fpr` decides there, as before."""
    await directory.remove_threshold(tenant, collection)
    audit("remove_threshold", collection=collection)
