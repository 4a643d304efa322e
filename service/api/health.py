"""GET /healthz, /readyz, /metrics: for the machinery around the service, never behind a key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from service.api.deps import DirectoryDep, MetricsDep, RegistryDep
from service.api.problems import problem_responses
from service.errors import NotReady

router = APIRouter(tags=["health"])


class HealthAnswer(BaseModel):
    """The process answers."""

    status: str = "ok"


class ReadyAnswer(BaseModel):
    """A model serves."""

    status: str = "ready"
    model: str


@router.get("/healthz")
async def healthz() -> HealthAnswer:
    """Is the process alive?"""
    return HealthAnswer()


@router.get("/readyz", responses=problem_responses(503))
async def readyz(registry: RegistryDep, directory: DirectoryDep) -> ReadyAnswer:
    """Is a model loaded and warmed up, and the store within reach?"""
    await asyncio.to_thread(directory.gallery.count)  # raises StoreUnavailable
    if registry.active is None:
        raise NotReady(registry.not_ready_because, retry_after_s=1)
    return ReadyAnswer(model=registry.active.id)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(metrics: MetricsDep) -> Response:
    """Figures for Prometheus."""
    return Response(metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})
