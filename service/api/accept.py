"""Which of several forms of an answer a caller asks for."""

from __future__ import annotations

import mimeparse
from fastapi import Request


def asked_for(request: Request, media_type: str, *, default: str) -> bool:
    """Does the Accept header like `media_type` better than `default`?

    It does not where it likes both as well, where there is none, or one that cannot be read.
    """
    accept = ",".join(request.headers.getlist("accept"))
    try:
        return bool(mimeparse.best_match([media_type, default], accept) == media_type)  # of equals the last
    except mimeparse.MimeTypeParseException:
        return False
