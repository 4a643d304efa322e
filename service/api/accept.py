"""Reads the Accept header."""

from __future__ import annotations

import mimeparse
from fastapi import Request


def prefers(request: Request, media_type: str, *, over: str) -> bool:
    """Whether the Accept header prefers `media_type` over the type `over`.

    False on a tie, and where the header is missing or malformed.
    """
    accept = ",".join(request.headers.getlist("accept"))
    try:
        return bool(mimeparse.best_match([media_type, over], accept) == media_type)  # on a tie, the last
    except mimeparse.MimeTypeParseException:
        return False
