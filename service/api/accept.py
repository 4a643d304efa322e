"""Which of several forms of an answer a caller asks for."""

from __future__ import annotations

import mimeparse
from fastapi import Request


def prefers(request: Request, media_type: str, *, over: str) -> bool:
    """Does the Accept header like `media_type` better than `over`?

    It does not where it likes both as well, where there is none, or one that cannot be read.
    """
    accept = ",".join(request.headers.getlist("accept"))
    try:
        return bool(mimeparse.best_match([media_type, over], accept) == media_type)  # of equals the last
    except mimeparse.MimeTypeParseException:
        return False
