"""GET /: the playground, or where to look next."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.api.deps import SettingsDep
from service.page import home_page

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home(request: Request, settings: SettingsDep) -> Response:
    """The page. Without it, leads a browser to the documentation, where every call can be tried."""
    root_path = request.scope["root_path"]
    if settings.page:
        return home_page(settings, root_path)
    return RedirectResponse(f"{root_path}/docs")
