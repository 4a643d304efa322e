"""What every job store has to do. A new implementation joins by one more entry in IMPLEMENTATIONS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.errors import NotFound, Overloaded, StoreUnavailable
from service.jobs import Activation, Job, JobFile, JobStore, RedisJobStore, SqliteJobStore
from service.jobs.records import new_job_id, new_version

NOW = datetime(2026, 11, 21, 8, 30, 15, 123456, tzinfo=UTC)
ROOMY = {"most_open": 1000, "most_bytes": 10**9}


def sqlite(request: pytest.FixtureRequest) -> Callable[[], JobStore]:
    folder: Path = request.getfixturevalue("tmp_path")
    return lambda: SqliteJobStore(folder / "jobs.sqlite")


def redis(request: pytest.FixtureRequest) -> Callable[[], JobStore]:
    url: str = request.getfixturevalue("empty_redis_url")
    return lambda: RedisJobStore(url)


IMPLEMENTATIONS = [sqlite, redis]


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda make: make.__name__)
def reopen(request: pytest.FixtureRequest) -> Callable[[], JobStore]:
    """Opens the same store, each time anew."""
    opener: Callable[[], JobStore] = request.param(request)
    return opener


@pytest.fixture
def store(reopen: Callable[[], JobStore]) -> Iterator[JobStore]:
    opened = reopen()
    yield opened
    opened.close()


def new_job(client: str = "ada", size_bytes: int = 100, **more: object) -> Job:
    job_id = new_job_id()
    job = Job(
        job_id=job_id,
        client=client,
        created_at=NOW,
        name="autodecompose",
        parent="1.0.0",
        version=new_version(job_id, NOW),
        steps=50,
        same_voice_seconds=10.0,
        activate="if_better",
        files=(JobFile("000.audio", ""), JobFile("001.audio", "Ada Ł")),
        size_bytes=size_bytes,
    )
    return replace(job, **more)  # type: ignore[arg-type]


def test_a_job_reads_back_as_it_was_stored(store: JobStore, reopen: Callable[[], JobStore]) -> None:
    job = new_job(
        state="succeeded",
        step=50,
        loss=0.25,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
        report={"verdict": "better", "nested": {"a": [1, None]}, "reason": "63 % → 71 %"},
        activation=Activation(state="active", reason="It serves."),
        lease_until=NOW,
        token=3,
    )
    store.add(job, **ROOMY)
    other = reopen()
    assert store.get(job.job_id) == other.get(job.job_id) == job
    other.close()


def test_unknown_jobs_are_not_found(store: JobStore) -> None:
    with pytest.raises(NotFound, match="nobody"):
        store.get("nobody")
    with pytest.raises(NotFound):
        store.update("nobody", lambda job: job)


def test_an_update_that_raises_changes_nothing(store: JobStore) -> None:
    job = new_job()
    store.add(job, **ROOMY)

    def change(_: Job) -> Job:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.update(job.job_id, change)
    assert store.get(job.job_id) == job
    assert store.update(job.job_id, lambda job: replace(job, step=1)).step == 1
    assert store.get(job.job_id).step == 1


def test_updates_from_many_threads_and_connections_are_all_kept(
    store: JobStore, reopen: Callable[[], JobStore]
) -> None:
    job = new_job()
    store.add(job, **ROOMY)
    stores = [store, reopen(), reopen()]
    start = threading.Barrier(6)

    def count(index: int) -> None:
        start.wait()
        for _ in range(10):
            stores[index % 3].update(job.job_id, lambda job: replace(job, step=job.step + 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, range(6)))
    assert store.get(job.job_id).step == 60
    for other in stores[1:]:
        other.close()


def test_pages_are_newest_first_and_complete(store: JobStore) -> None:
    jobs = [new_job(job_id=f"{i:032x}") for i in range(7)]
    for job in jobs:
        store.add(job, **ROOMY)
    seen: list[Job] = []
    before = None
    while True:
        page = store.list(limit=3, before=before)
        assert len(page.jobs) <= 3
        seen += page.jobs
        before = page.next_before
        if before is None:
            break
    assert seen == jobs[::-1]
    assert store.list(limit=7).next_before is None


def test_unsettled_jobs_are_those_with_something_left_to_do(store: JobStore) -> None:
    pending = Activation(state="pending", reason="")
    jobs = [
        new_job(job_id=f"{i:032x}", **fields)
        for i, fields in enumerate(
            [
                {},
                {"state": "running"},
                {"state": "failed"},
                {"state": "canceled"},
                {"state": "succeeded"},
                {"state": "succeeded", "activation": pending},
            ]
        )
    ]
    for job in jobs:
        store.add(job, **ROOMY)
    assert list(store.unsettled()) == [jobs[0], jobs[1], jobs[5]]
    store.update(jobs[0].job_id, lambda job: replace(job, state="canceled"))
    store.update(jobs[5].job_id, lambda job: replace(job, activation=replace(pending, state="active")))
    assert list(store.unsettled()) == [jobs[1]]


def test_the_queue_of_a_client_is_bounded(store: JobStore) -> None:
    first = new_job()
    store.add(first, most_open=2, most_bytes=10**9)
    store.add(new_job(), most_open=2, most_bytes=10**9)
    with pytest.raises(Overloaded, match="DELETE /finetune") as refused:
        store.add(new_job(), most_open=2, most_bytes=10**9)
    assert refused.value.retry_after_s
    store.add(new_job(client="grace"), most_open=2, most_bytes=10**9)
    store.update(first.job_id, lambda job: replace(job, state="failed"))
    store.add(new_job(), most_open=2, most_bytes=10**9)
    assert len(store.list(limit=10).jobs) == 4


def test_recordings_of_unfinished_jobs_are_bounded(store: JobStore) -> None:
    first = new_job(size_bytes=600)
    store.add(first, most_open=9, most_bytes=1000)
    with pytest.raises(Overloaded, match="FINETUNE_DISK_BYTES"):
        store.add(new_job(client="grace", size_bytes=401), most_open=9, most_bytes=1000)
    store.add(new_job(size_bytes=400), most_open=9, most_bytes=1000)
    store.update(first.job_id, lambda job: replace(job, state="canceled"))
    store.add(new_job(size_bytes=600), most_open=9, most_bytes=1000)


def test_the_bound_holds_when_many_come_at_once(store: JobStore, reopen: Callable[[], JobStore]) -> None:
    other = reopen()
    start = threading.Barrier(8)

    def add(index: int) -> bool:
        start.wait()
        try:
            (store, other)[index % 2].add(new_job(), most_open=3, most_bytes=10**9)
        except Overloaded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(8))) == 3
    assert len(store.unsettled()) == 3
    other.close()


def test_removed_jobs_are_gone_and_leave_the_bound_as_it_is(store: JobStore) -> None:
    old, young, open_ = new_job(state="failed"), new_job(state="succeeded", activation=None), new_job()
    for job in (old, young, open_):
        store.add(job, **ROOMY)
    store.remove([old.job_id, old.job_id, "nobody"])
    assert store.count() == 2
    assert {job.job_id for job in store.list(limit=9).jobs} == {open_.job_id, young.job_id}
    with pytest.raises(NotFound):
        store.get(old.job_id)
    store.scrub("Ada Ł")  # finds what is left alone
    with pytest.raises(Overloaded):
        store.add(new_job(), most_open=1, most_bytes=10**9)
    store.add(new_job(), most_open=2, most_bytes=10**9)
    assert store.count() == 3


def test_a_closed_store_is_unavailable(reopen: Callable[[], JobStore]) -> None:
    store = reopen()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.get("x")
    with pytest.raises(StoreUnavailable):
        store.unsettled()
