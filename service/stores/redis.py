"""The connection to Redis, with short waits and errors that callers can act on, and the stream of changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from service.errors import DiskFull, StoreUnavailable

PREFIX = "twofold:"
ACTIVE_MODEL = f"{PREFIX}active_model"  # string: name/version; missing before the first switch
REVISION = f"{PREFIX}revision"  # counter: id of the newest change
CHANGES = f"{PREFIX}changes"  # stream: one entry a change, ids without gaps
#: Lua that ends a change. It tells the replicas in the same step that makes the change.
ANNOUNCE = f"""
local function announce(kind, id)
  local revision = redis.call('INCR', '{REVISION}')
  redis.call('XADD', '{CHANGES}', 'MAXLEN', '~', 10000, string.format('%.0f-0', revision), kind, id)
  return revision
end
"""
_RETRY_AFTER_S = 2
_CONNECT_S = 2.0  # longest wait for a connection
_ANSWER_S = 5.0  # longest wait for an answer: Redis may wait for a slow disk
_log = structlog.get_logger(__name__)


class RedisConnection:
    """A thread-safe client that connects at its first command.

    It never repeats a command by itself: the command may have been carried out although its answer was lost.
    """

    def __init__(self, url: str) -> None:
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_CONNECT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._closed = False

    def script(self, lua: str) -> Script:
        """A Lua script, to be called inside `reaching`."""
        return self._client.register_script(lua)

    @contextmanager
    def reaching(self) -> Iterator[Redis]:
        """The client. Every error of Redis inside the block becomes StoreUnavailable.

        The log has the error's own words; callers do not see them, because they name hosts.
        """
        if self._closed:
            raise unavailable()
        try:
            yield self._client
        except RedisError as error:
            _log.warning("redis_failed", error=type(error).__name__, reason=str(error))
            raise (files_unwritable() if "MISCONF" in str(error) else unavailable()) from error

    def close(self) -> None:
        """Ends all connections. Later calls raise StoreUnavailable."""
        self._closed = True
        self._client.close()


def files_unwritable() -> DiskFull:
    """The error while Redis refuses writes because it cannot write its files."""
    return DiskFull(
        "Disk full: Redis refuses writes, since it cannot write its files. Nothing was changed, and what "
        "only reads goes on. The log of Redis says more.",
        retry_after_s=_RETRY_AFTER_S,
    )


def unavailable() -> StoreUnavailable:
    """The error while Redis is out of reach, full or busy."""
    return StoreUnavailable(
        "The shared store (Redis) cannot be used now. A write that was under way may or may not have been "
        "made: look before you send it again.",
        retry_after_s=_RETRY_AFTER_S,
    )
