"""Serves the page, with headers that let it load and call nothing but this service."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path

from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from service import __version__
from service.settings import Settings

_STATIC = Path(__file__).parent / "static"
#: In a wheel, in a checkout.
_EXAMPLES = (Path(__file__).parents[1] / "examples", Path(__file__).parents[2] / "examples")
#: Nothing inline, nothing from elsewhere; `blob:` is what the page itself recorded or fetched.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # asks each time whether the file is still the same
}


class PageFiles(StaticFiles):
    """The files of the page, or of another folder, with the page's headers."""

    def __init__(self, folder: Path = _STATIC) -> None:
        super().__init__(directory=folder)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file, or 304 if the browser has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response


def examples_folder() -> Path | None:
    """The example recordings; None where the service was installed without them."""
    return next((folder for folder in _EXAMPLES if (folder / "audio").is_dir()), None)


def home_page(settings: Settings, root_path: str) -> HTMLResponse:
    """The page itself, which is told where it is and what the service asks for."""
    facts = {
        "version": __version__,
        "needs_key": settings.locked,
        "examples": examples_folder() is not None,
        "enrol_s": settings.min_speech_enrol_s,
        "max_s": settings.max_seconds,
        "target_fpr": settings.target_fpr,
    }
    text = (_STATIC / "index.html").read_text()
    text = text.replace('<base href="/">', f'<base href="{html.escape(root_path)}/">')
    text = text.replace("{}", json.dumps(facts).replace("<", "\\u003c"), 1)
    return HTMLResponse(text, headers=_HEADERS)
