"""Stored thresholds in Redis."""

from __future__ import annotations

from typing import cast

from service.speakers.thresholds import StoredThreshold, no_threshold
from service.stores.redis import ANNOUNCE, PREFIX, RedisConnection
from service.tenants import Tenant

THRESHOLDS = f"{PREFIX}thresholds"  # hash: tenant/collection → JSON
CHANGED = "thresholds"  # kind of a change: which tenant's
_STORE = f"""{ANNOUNCE}
redis.call('HSET', '{THRESHOLDS}', ARGV[1] .. '/' .. ARGV[2], ARGV[3])
announce('{CHANGED}', ARGV[1])
"""
_REMOVE = f"""{ANNOUNCE}
if redis.call('HDEL', '{THRESHOLDS}', ARGV[1] .. '/' .. ARGV[2]) == 0 then return 0 end
announce('{CHANGED}', ARGV[1])
return 1
"""


class RedisThresholds:
    """Those of all tenants. Its methods are those of the gallery."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis
        self._store = redis.script(_STORE)
        self._remove = redis.script(_REMOVE)

    def read(self) -> list[tuple[str, StoredThreshold]]:
        """`Gallery.thresholds`."""
        with self._redis.reaching() as client:
            stored = cast(dict[bytes, bytes], client.hgetall(THRESHOLDS))
        return [
            (key.decode().partition("/")[0], StoredThreshold.from_json(text.decode()))
            for key, text in stored.items()
        ]

    def store(self, tenant: Tenant, threshold: StoredThreshold) -> None:
        """`Gallery.store_threshold`."""
        with self._redis.reaching():
            self._store(args=[tenant.name, threshold.collection, threshold.to_json()])

    def remove(self, tenant: Tenant, collection: str) -> None:
        """`Gallery.remove_threshold`."""
        with self._redis.reaching():
            if not self._remove(args=[tenant.name, collection]):
                raise no_threshold(collection)
