"""The body of a request as it arrives: not too long, not too slow, and not too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request

from service.admission import Place
from service.errors import BadRequest, Overloaded, TooLarge
from service.settings import Settings

_GRACE_S = 5.0  # before the least rate holds: a phone may need that long to get going
_COPIES = 2  # a body is in memory as it arrived, and once more while it is put together


async def body_chunks(
    request: Request, settings: Settings, place: Place, *, limit: int
) -> AsyncGenerator[bytes, None]:
    """The chunks of a body of at most `limit` bytes.

    Raises TooLarge as soon as the body is known to exceed the limit, Overloaded if all uploads together need
    too much memory, and BadRequest if the body is too slow or takes too long.
    """
    try:
        announced = request.headers.get("content-length", "")
        expected = int(announced) if announced.isdecimal() else 0
        _require_size(expected, limit)
        place.hold(_COPIES * expected)
        total = 0
        async for chunk in _paced(request, settings):
            total += len(chunk)
            if total > expected:
                _require_size(total, limit)
                place.hold(_COPIES * (total - expected))
                expected = total
            yield chunk
    except (TooLarge, Overloaded, BadRequest):
        request.state.body_given_up = True
        raise


def _require_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(
            f"The body is larger than {limit} bytes. Send a shorter or compressed recording, "
            "or fewer at once. TWOFOLD_MAX_BYTES is the limit of a recording.",
            max_bytes=limit,
        )


async def _paced(request: Request, settings: Settings) -> AsyncGenerator[bytes, None]:
    """The chunks of a body. Raises BadRequest if it takes too long, or falls below the least rate."""
    chunks = request.stream()
    started, total = asyncio.get_running_loop().time(), 0
    while True:
        allowed_s = settings.upload_timeout_s
        if settings.min_upload_bytes_per_s:
            allowed_s = min(allowed_s, _GRACE_S + total / settings.min_upload_bytes_per_s)
        try:
            async with asyncio.timeout_at(started + allowed_s):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise BadRequest(
                f"The body did not arrive in time: it may take {settings.upload_timeout_s:g} s "
                f"(TWOFOLD_UPLOAD_TIMEOUT_S) at {settings.min_upload_bytes_per_s} bytes a second or more "
                "(TWOFOLD_MIN_UPLOAD_BYTES_PER_S). Send it faster, or send fewer or shorter files."
            ) from None
        total += len(chunk)
        yield chunk
