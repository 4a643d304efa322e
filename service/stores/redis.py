"""The one way to Redis: short waits, errors that callers can act on, and the stream that replicas follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from service.errors import StoreUnavailable

PREFIX = "twofold:"
ACTIVE_MODEL = f"{PREFIX}active_model"  # string: name/version; missing before the first switch
REVISION = f"{PREFIX}revision"  # counter: id of the newest change
CHANGES = f"{PREFIX}changes"  # stream: one entry a change, ids without gaps
#: Lua that ends a change: replicas that follow are told of it in the very step that makes it.
ANNOUNCE = f"""
local function announce(kind, id)
  local revision = redis.call('INCR', '{REVISION}')
  redis.call('XADD', '{CHANGES}', 'MAXLEN', '~', 10000, string.format('%.0f-0', revision), kind, id)
end
"""
RETRY_AFTER_S = 2
_CONNECT_S = 2.0  # longest wait for a connection
_ANSWER_S = 5.0  # longest wait for an answer: a disk that is slow to sync is not a store that is lost
_log = structlog.get_logger(__name__)


def connect(url: str) -> Redis:
    """A thread-safe client; connects at the first command.

    It never repeats a command by itself: one whose answer was lost may have been carried out.
    """
    client: Redis = Redis.from_url(
        url,
        socket_timeout=_ANSWER_S,
        socket_connect_timeout=_CONNECT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return client


@contextmanager
def translated() -> Iterator[None]:
    """Turns every error of Redis into StoreUnavailable. Its own words are for the log: they name hosts."""
    try:
        yield
    except RedisError as error:
        _log.warning("redis_failed", error=type(error).__name__, reason=str(error))
        raise unavailable() from error


def unavailable() -> StoreUnavailable:
    """What callers are told while Redis is out of reach, full or busy."""
    return StoreUnavailable(
        "The shared store (Redis) cannot be used now. A write that was under way may or may not have been "
        "made: look before you send it again.",
        retry_after_s=RETRY_AFTER_S,
    )
