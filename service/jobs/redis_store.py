"""The shared job store: job records on Redis, for services and workers on any number of machines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import cast

from redis import Redis

from service.errors import NotFound
from service.jobs.records import JOB, NOBODY, Job, JobPage, read_job, speaker_text
from service.jobs.store import Change, changed, check_room, unknown_job
from service.stores.redis import PREFIX, RedisConnection, unavailable

_RECORD = f"{PREFIX}job:"  # + id: the whole Job as JSON
_ALL = f"{PREFIX}jobs"  # sorted set of all ids, all with score 0: sorted by their bytes, oldest first
_UNSETTLED = f"{PREFIX}jobs:unsettled"  # the same for jobs that are not settled
_REMOVED = f"{PREFIX}jobs:removed"  # how many jobs were removed
_AT_ONCE = 500  # records read at once
_ATTEMPTS = 1000  # an attempt fails only because another process changed the job in between

_REPLACE = f"""
local record, id, before, after, settled = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', record) ~= before then return 0 end
redis.call('SET', record, after)
if settled == '1' then
  redis.call('ZREM', '{_UNSETTLED}', id)
else
  redis.call('ZADD', '{_UNSETTLED}', 0, id)
end
return 1
"""

_ADDED = f"""
local function added() return redis.call('ZCARD', '{_ALL}') + (redis.call('GET', '{_REMOVED}') or 0) end
"""  # how many jobs there ever were

# If that number is as counted, none was added since.
_ADD = f"""{_ADDED}
local record, id, job, settled, counted = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if added() ~= tonumber(counted) then return 0 end
redis.call('SET', record, job)
redis.call('ZADD', '{_ALL}', 0, id)
if settled == '0' then redis.call('ZADD', '{_UNSETTLED}', 0, id) end
return 1
"""

_REMOVE = f"""
local record, id = KEYS[1], ARGV[1]
if redis.call('ZREM', '{_ALL}', id) == 1 then redis.call('INCR', '{_REMOVED}') end
redis.call('ZREM', '{_UNSETTLED}', id)
redis.call('DEL', record)
"""


class RedisJobStore:
    """`JobStore` on Redis 7. A change is a compare-and-set of the whole record, so none is lost."""

    def __init__(self, url: str) -> None:
        """Connects at the first call."""
        self._redis = RedisConnection(url)
        self._replace = self._redis.script(_REPLACE)
        self._count_added = self._redis.script(f"{_ADDED} return added()")
        self._add = self._redis.script(_ADD)
        self._remove = self._redis.script(_REMOVE)

    def add(self, job: Job, *, most_open: int, most_bytes: int) -> None:
        for _ in range(_ATTEMPTS):
            with self._redis.reaching():
                counted = self._count_added()
            check_room(job, self.unsettled(), most_open=most_open, most_bytes=most_bytes)
            with self._redis.reaching():
                added = self._add(
                    keys=[_key(job.job_id)],
                    args=[job.job_id, JOB.dump_json(job), int(job.settled), counted],
                )
            if added:
                return
        raise unavailable()

    def get(self, job_id: str) -> Job:
        return read_job(job_id, self._record(job_id))

    def list(self, *, limit: int, before: str | None = None) -> JobPage:
        newest = "+" if before is None else f"({before}"
        with self._redis.reaching() as client:
            # One more id tells whether there is another page.
            ids = cast(list[bytes], client.zrevrangebylex(_ALL, newest, "-", start=0, num=limit + 1))
            jobs = _jobs(client, ids[:limit])
        return JobPage(tuple(jobs), next_before=jobs[-1].job_id if len(ids) > limit else None)

    def update(self, job_id: str, change: Change) -> Job:
        for _ in range(_ATTEMPTS):
            before = self._record(job_id)
            job = changed(read_job(job_id, before), change)
            with self._redis.reaching():
                replaced = self._replace(
                    keys=[_key(job_id)], args=[job_id, before, JOB.dump_json(job), int(job.settled)]
                )
            if replaced:
                return job
        raise unavailable()

    def count(self) -> int:
        with self._redis.reaching() as client:
            return client.zcard(_ALL)

    def remove(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            with self._redis.reaching():
                self._remove(keys=[_key(job_id)], args=[job_id])

    def naming(self, speaker_id: str) -> Sequence[Job]:
        return [read_job(job_id, record) for job_id, record in self._naming(speaker_id)]

    def scrub(self, speaker_id: str) -> None:
        for job_id, record in self._naming(speaker_id):
            before = record
            for _ in range(_ATTEMPTS):
                after = before.replace(speaker_text(speaker_id).encode(), NOBODY.encode())
                settled = read_job(job_id, after).settled
                with self._redis.reaching():
                    if self._replace(keys=[_key(job_id)], args=[job_id, before, after, int(settled)]):
                        break
                try:
                    before = self._record(job_id)
                except NotFound:  # removed meanwhile
                    break
            else:
                raise unavailable()

    def clean(self) -> Mapping[str, str]:
        return {}  # the gallery cleans the files of Redis, and ends the erasure with that

    def unsettled(self) -> Sequence[Job]:
        with self._redis.reaching() as client:
            ids = cast(list[bytes], client.zrange(_UNSETTLED, 0, -1))
            jobs = _jobs(client, ids)
        return [job for job in jobs if not job.settled]  # some may be settled since

    def close(self) -> None:
        self._redis.close()

    def _naming(self, speaker_id: str) -> Iterator[tuple[str, bytes]]:
        text = speaker_text(speaker_id).encode()
        after = "-"
        while True:
            with self._redis.reaching() as client:
                ids = cast(list[bytes], client.zrangebylex(_ALL, after, "+", start=0, num=_AT_ONCE))
                if not ids:
                    return
                records = cast(list[bytes | None], client.mget([_key(i.decode()) for i in ids]))
            for job_id, record in zip(ids, records, strict=True):
                if record is not None and text in record:
                    yield job_id.decode(), record
            after = f"({ids[-1].decode()}"

    def _record(self, job_id: str) -> bytes:
        with self._redis.reaching() as client:
            record = cast(bytes | None, client.get(_key(job_id)))
        if record is None:
            raise unknown_job(job_id)
        return record


def _key(job_id: str) -> str:
    return f"{_RECORD}{job_id}"


def _jobs(client: Redis, ids: Sequence[bytes]) -> list[Job]:
    if not ids:
        return []
    records = cast(list[bytes | None], client.mget([_key(job_id.decode()) for job_id in ids]))
    return [
        read_job(job_id.decode(), record)
        for job_id, record in zip(ids, records, strict=True)
        if record is not None
    ]
