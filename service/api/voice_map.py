"""GET /gallery/map: the enrolled voices as a picture."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api.deps import DirectoryDep, RegistryDep, SettingsDep, TenantDep, active_bundle
from service.api.problems import problem_responses
from service.speakers import voice_map

router = APIRouter(prefix="/gallery", tags=["gallery"])


class _Part(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PointAnswer(_Part):
    """A voice on the map."""

    speaker_id: str
    name: str | None
    x: float = Field(description="Along the axis on which the voices differ most.")
    y: float = Field(description="Along the next one.")


class PairAnswer(_Part):
    """Two voices that are hard to tell apart."""

    first: str = Field(description="A speaker's id.")
    second: str
    score: float = Field(description="In units of `score_type`.")


class MapAnswer(_Part):
    """The voices as points, and those that are too near."""

    model: str
    score_type: str
    points: list[PointAnswer]
    pairs: list[PairAnswer] = Field(description="Which would pass for each other; nearest first.")
    threshold: float = Field(description="The score from which a pair counts as near.")
    explained: float = Field(description="Share of the variance of all voices that the map shows, 0 to 1.")
    voices: int = Field(description="Voices that could be on the map; stale ones cannot.")


@router.get("/map", responses=problem_responses(503))
async def show_map(
    directory: DirectoryDep,
    registry: RegistryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most voices on the map.")] = 500,
) -> MapAnswer:
    """Puts enrolled voices on a plane, by principal component analysis of their voiceprints.

    `pairs` lists voices whose score reaches the threshold of /verify at TWOFOLD_TARGET_FPR: perhaps one
    person is enrolled twice.
    """
    index = await directory.index(active_bundle(registry))
    drawn = await asyncio.to_thread(
        voice_map, index, tenant.name, limit=limit, target_fpr=settings.target_fpr
    )
    return MapAnswer(
        model=index.model,
        score_type=index.scorer.score_type,
        points=[PointAnswer.model_validate(point) for point in drawn.points],
        pairs=[PairAnswer.model_validate(pair) for pair in drawn.pairs],
        threshold=drawn.threshold,
        explained=drawn.explained,
        voices=drawn.voices,
    )
