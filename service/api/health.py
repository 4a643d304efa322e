"""GET /healthz, /readyz, /metrics: for monitoring, never behind a key."""

from __future__ import annotations

import math

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from service.api.deps import CountsAllDep, DirectoryDep, EraserDep, MetricsDep, RegistryDep, active_bundle
from service.api.problems import problem_responses
from service.errors import StoreUnavailable

router = APIRouter(tags=["health"])


class HealthAnswer(BaseModel):
    """The process answers."""

    status: str = "ok"


class ReadyAnswer(BaseModel):
    """The service is ready."""

    status: str = "ready"
    model: str
    notices: list[str] = Field(
        description="What an operator should know: an older model that goes on serving, voices without a "
        "voiceprint under the model that serves, erasures that are not finished."
    )


@router.get("/healthz")
async def healthz() -> HealthAnswer:
    """Answers as long as the process is alive."""
    return HealthAnswer()


@router.get("/readyz", responses=problem_responses(503))
async def readyz(
    registry: RegistryDep, directory: DirectoryDep, eraser: EraserDep, counts_all: CountsAllDep
) -> ReadyAnswer:
    """Answers 200 if a model is loaded, and the store can be reached and takes writes.

    Where tenants share the service, notices of voices need a key of the operator.
    """
    of_store = await directory.threads.soon(directory.gallery.check)  # raises StoreUnavailable
    of_voices = [*directory.notices, *eraser.notices] if counts_all else []
    return ReadyAnswer(model=active_bundle(registry).id, notices=[*registry.notices, *of_store, *of_voices])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(metrics: MetricsDep, directory: DirectoryDep, counts_all: CountsAllDep) -> Response:
    """Metrics for Prometheus.

    Where tenants share the service, those that tell how many voices there are need a key of the operator:
    `twofold_gallery_speakers`, and requests and their time by route.
    """
    try:
        speakers: float = await directory.threads.soon(directory.gallery.count)
    except StoreUnavailable:
        speakers = math.nan  # the other metrics matter most just then
    metrics.gallery_size.set(speakers)
    return Response(metrics.render(counts_all=counts_all), headers={"Content-Type": CONTENT_TYPE_LATEST})
