"""Refuses parameters that a call does not have: a misspelt one would silently mean its default."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from fastapi import Request
from fastapi.exceptions import RequestValidationError


async def known_query(request: Request) -> None:
    """Lets a request pass whose query has only parameters that the OpenAPI document names for its call.

    Calls with a body check both together: a form field may come in the query instead. Raises
    RequestValidationError.
    """
    path = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    operation = path.get(request.method.lower(), {})
    if request.query_params and "requestBody" not in operation:
        parameters = operation.get("parameters", [])
        require_known(request.query_params, [p["name"] for p in parameters if p["in"] == "query"])


def require_known(given: Iterable[str], known: Collection[str]) -> None:
    """Raises RequestValidationError that names every unknown parameter, the likely one and all known ones."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise RequestValidationError(
            [
                {"loc": ("parameters", name[:100]), "msg": _message(name, known), "type": "extra_forbidden"}
                for name in unknown
            ]
        )


def _message(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name[:100], known, n=1)
    meant = f"; did you mean {nearest[0]!r}?" if nearest else "."
    takes = f"It takes {', '.join(known)}." if known else "It takes no parameters."
    return f"this call has no such parameter{meant} {takes}"
