"""Which names the service answers to, and which web pages may call it.

A service without keys trusts whoever reaches it. A web page in a browser on the same machine must not reach
it: neither directly (its Origin is foreign), nor by a name that it lets point to 127.0.0.1 (DNS rebinding:
the Host is foreign).
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.middleware import PROBES
from service.api.problems import error_problem
from service.errors import ForbiddenOrigin
from service.settings import Settings, is_address, is_loopback

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@?#\s]+)(?::\d{1,5})?")


class OriginCheck:
    """ASGI middleware that refuses foreign names and pages. Probes may use any name."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = settings.hosts
        self._origins = settings.origins
        self._check_hosts = bool(settings.hosts) or not settings.locked
        self._check_origins = bool(settings.origins) or not settings.locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] not in ("http", "websocket") or path in PROBES:
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
        except ForbiddenOrigin as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": error.title})
            else:
                await error_problem(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if self._check_hosts and not self._is_ours(host):
            raise ForbiddenOrigin(
                f"This service does not answer to the name {host!r}. Call it as localhost, or let its "
                "operator list the name in TWOFOLD_TRUSTED_HOSTS."
            )
        origin = headers.get("origin")
        if self._check_origins and origin is not None and not self._may_call(origin.lower(), host):
            raise ForbiddenOrigin(
                f"Pages of {origin!r} may not call this service. Its operator can list the origin in "
                "TWOFOLD_CORS_ORIGINS."
            )

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header names this service."""
        fits = _HOST.fullmatch(host)
        if fits is None:
            return False
        name = fits[1].strip("[]").rstrip(".")
        if "*" in self._hosts or name in self._hosts:
            return True
        if self._settings.locked:
            return False
        # Rebinding needs a name: an address can only be this machine's own.
        return is_loopback(name) or (self._settings.insecure and is_address(name))

    def _may_call(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is listed, or is the service's own."""
        return "*" in self._origins or origin in self._origins or origin.partition("://")[2] == host != ""
