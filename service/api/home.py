"""GET /: where to look next."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home(request: Request) -> RedirectResponse:
    """Leads a browser to the documentation, where every call can be tried."""
    return RedirectResponse(f"{request.scope['root_path']}/docs")
