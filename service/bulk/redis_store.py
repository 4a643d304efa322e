"""Records of bulk enrolments on Redis: every replica shows the jobs of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from service.bulk.store import BulkStore
from service.stores.redis import PREFIX, RedisConnection

_JOBS = f"{PREFIX}enrolments"  # hash: job id → the whole BulkJob as JSON

_REPLACE = f"""
local id, before, after = ARGV[1], ARGV[2], ARGV[3]
if (redis.call('HGET', '{_JOBS}', id) or '') ~= before then return 0 end
if after == '' then
  redis.call('HDEL', '{_JOBS}', id)
else
  redis.call('HSET', '{_JOBS}', id, after)
end
return 1
"""


class RedisBulkStore(BulkStore):
    """In one hash, which every change of a record replaces one field of."""

    shared = True

    def __init__(self, url: str) -> None:
        """Connects at the first call."""
        self._redis = RedisConnection(url)
        self._compare_and_set = self._redis.script(_REPLACE)

    def clean(self) -> Mapping[str, str]:
        return {}  # the gallery cleans the files of Redis

    def close(self) -> None:
        self._redis.close()

    def _get(self, job_id: str) -> str | None:
        with self._redis.reaching() as client:
            record = cast(bytes | None, client.hget(_JOBS, job_id))
        return None if record is None else record.decode()

    def _all(self) -> dict[str, str]:
        with self._redis.reaching() as client:
            records = cast(dict[bytes, bytes], client.hgetall(_JOBS))
        return {job_id.decode(): record.decode() for job_id, record in records.items()}

    def _replace(self, job_id: str, before: str | None, after: str | None) -> bool:
        with self._redis.reaching():
            return bool(self._compare_and_set(args=[job_id, before or "", after or ""]))
