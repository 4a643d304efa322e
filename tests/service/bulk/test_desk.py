"""Records of bulk enrolments on each store, and the work that looks at them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.bulk import (
    BulkDesk,
    BulkJob,
    BulkStore,
    PersonOutcome,
    RecordingOutcome,
    RedisBulkStore,
    SqliteBulkStore,
    Work,
    open_archive,
)
from service.errors import NotFound, Overloaded, StoreUnavailable
from service.stores.threads import StoreThreads
from service.tenants import Tenant
from tests.service.bulk.test_archive import zipped

ACME = Tenant("acme")
NOW = datetime.now(UTC)


def sqlite(request: pytest.FixtureRequest) -> BulkStore:
    folder: Path = request.getfixturevalue("tmp_path")
    return SqliteBulkStore(folder / "enrolments.sqlite")


def redis(request: pytest.FixtureRequest) -> BulkStore:
    return RedisBulkStore(request.getfixturevalue("empty_redis_url"))


@pytest.fixture(params=[sqlite, redis], ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest) -> Iterator[BulkStore]:
    with closing(request.param(request)) as opened:
        yield opened


def new_job(job_id: str = "1", tenant: str = "acme", **more: Any) -> BulkJob:
    people = tuple(
        PersonOutcome(speaker_id=name, recordings=(RecordingOutcome(file=f"{name}.wav"),))
        for name in ("ann", "bob")
    )
    return BulkJob(
        **{"job_id": job_id, "tenant": tenant, "process": "p", "seen_at": NOW, "created_at": NOW}
        | {"people": people, **more}
    )


def test_an_erased_speaker_is_in_no_record_of_the_tenant(store: BulkStore) -> None:
    store.add(new_job("1"))
    store.add(new_job("2", tenant="beta"))
    store.add(new_job("3", state="succeeded", finished_at=NOW))
    assert store.forget("~acme/ann") is True
    assert store.forget("~acme/ann") is False
    names = {job.job_id: [person.speaker_id for person in job.people] for job in store.jobs()}
    assert names == {"1": [None, "bob"], "2": ["ann", "bob"], "3": [None, "bob"]}
    assert "ann" not in str(store.get("1"))
    # What the work says of her afterwards changes nothing.
    late = (RecordingOutcome(file="ann.wav", outcome="enrolled"),)
    job = store.update("1", lambda job: job.with_person(0, late))
    assert job is not None
    assert job.people[0] == PersonOutcome(speaker_id=None, recordings=())
    assert store.clean() == {}


def test_no_byte_of_an_erased_speaker_is_left_in_the_file(tmp_path: Path) -> None:
    with closing(SqliteBulkStore(tmp_path / "enrolments.sqlite")) as store:
        store.add(new_job())
        assert any(b"ann" in file.read_bytes() for file in tmp_path.iterdir())
        store.forget("~acme/ann")
        assert store.clean() == {}
        assert not any(b"ann" in file.read_bytes() for file in tmp_path.iterdir())


def test_a_record_that_cannot_be_read_is_unknown_and_goes_with_the_next_erasure(store: BulkStore) -> None:
    assert store._replace("1", None, '{"speaker_id": "ann"')
    store.add(new_job("2"))
    assert store.get("1") is None
    assert store.update("1", lambda job: job) is None
    assert [job.job_id for job in store.jobs()] == ["2"]
    store.forget("~acme/ann")
    assert list(store._all()) == ["2"]
    store.remove("2")
    store.remove("2")
    assert store.jobs() == []


@asynccontextmanager
async def desk_of(store: BulkStore, *, keep_s: float = 3600.0) -> Any:
    with closing(StoreThreads()) as threads:
        async with aclosing(BulkDesk(store, threads, max_memory_bytes=10_000, keep_s=keep_s)) as desk:
            yield desk


class Enrolling:
    """Notes whom it enrols, and calls `meanwhile` before the first is done."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.enrolled: list[str] = []
        self.erased: list[str] = []
        self._meanwhile = meanwhile

    async def enrol(
        self, speaker_id: str, files: Sequence[tuple[str, bytes]]
    ) -> tuple[RecordingOutcome, ...]:
        if not self.enrolled:
            await asyncio.to_thread(self._meanwhile)
        self.enrolled.append(speaker_id)
        return tuple(RecordingOutcome(file=path, outcome="enrolled") for path, _ in files)

    async def erase(self, stored_id: str) -> None:
        self.erased.append(stored_id)

    def work(
        self, *names: str, client: str = "ada", require_budget: Callable[[], None] = lambda: None
    ) -> Work:
        archive = open_archive(zipped({f"{name}.wav": b"" for name in names}), max_bytes=100)
        return Work(
            archive=archive,
            enrol=self.enrol,
            erase=self.erase,
            require_budget=require_budget,
            client=client,
            tenant=ACME,
        )


async def over(desk: BulkDesk, job_id: str) -> BulkJob:
    async with asyncio.timeout(30):
        while not (job := await desk.get(job_id, ACME)).over:
            await asyncio.sleep(0.01)
    return job


def test_who_is_erased_meanwhile_is_erased_again_or_never_enrolled(store: BulkStore) -> None:
    def erase_two() -> None:
        store.forget("~acme/ann")  # is being enrolled
        store.forget("~acme/cy")  # still waits

    async def scenario() -> None:
        enrolling = Enrolling(erase_two)
        async with desk_of(store) as desk:
            job = await over(desk, (await desk.submit(enrolling.work("ann", "bob", "cy"))).job_id)
        assert (enrolling.enrolled, enrolling.erased) == (["ann", "bob"], ["~acme/ann"])
        assert [person.speaker_id for person in job.people] == [None, "bob", None]
        assert job.state == "succeeded"

    asyncio.run(scenario())


def test_a_job_that_is_removed_ends_and_nobody_else_is_enrolled(store: BulkStore) -> None:
    async def scenario() -> None:
        enrolling = Enrolling(lambda: store.remove(store.jobs()[0].job_id))  # at another replica
        async with desk_of(store) as desk:
            job = await desk.submit(enrolling.work("ann", "bob"))
            await asyncio.gather(*desk._tasks.values())
            with pytest.raises(NotFound):
                await desk.get(job.job_id, ACME)
        assert enrolling.enrolled == ["ann"]

    asyncio.run(scenario())


def test_the_one_who_is_being_enrolled_as_the_job_ends_can_be_erased(store: BulkStore) -> None:
    async def scenario() -> None:
        held = threading.Event()
        enrolling = Enrolling(lambda: held.wait(30) and None)
        async with desk_of(store) as desk:
            job = await desk.submit(enrolling.work("ann", "bob"))
            async with asyncio.timeout(30):
                while not desk._steps:
                    await asyncio.sleep(0.01)
            await desk.forget("~acme/ann")
            await desk.remove(job.job_id, ACME)
            held.set()
            await asyncio.gather(*desk._steps)
        assert (enrolling.enrolled, enrolling.erased) == (["ann"], ["~acme/ann"])

    asyncio.run(scenario())


def test_a_restart_is_said_and_an_old_report_goes(store: BulkStore) -> None:
    long_ago = NOW - timedelta(hours=2)
    store.add(new_job("cut", state="running", process="another", seen_at=long_ago))
    store.add(new_job("old", state="succeeded", finished_at=long_ago))
    store.add(new_job("new", state="succeeded", finished_at=NOW))

    async def scenario() -> None:
        async with desk_of(store) as desk:
            cut = await desk.get("cut", ACME)
            assert (cut.state, cut.over) == ("failed", True)
            assert "Send it again" in str(cut.error)
            assert (await desk.get("new", ACME)).state == "succeeded"
            for job_id, tenant in (("old", ACME), ("new", Tenant("beta"))):
                with pytest.raises(NotFound):
                    await desk.get(job_id, tenant)
            # A replica that lives goes on; where one process serves, another one is gone.
            store.add(
                replace(new_job("other"), state="running", process="another", seen_at=datetime.now(UTC))
            )
            assert (await desk.get("other", ACME)).over is not store.shared

    asyncio.run(scenario())


def test_limits_and_outages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqliteBulkStore(tmp_path / "enrolments.sqlite")) as store:
        empty = iter([True, False])

        def budget() -> None:
            if next(empty, False):
                raise Overloaded("wait", retry_after_s=0)

        update, fails = store.update, iter([True])

        def once_away(*args: Any) -> BulkJob | None:
            if next(fails, False):
                raise StoreUnavailable("away", retry_after_s=0)
            return update(*args)

        monkeypatch.setattr(store, "update", once_away)

        async def scenario() -> None:
            enrolling = Enrolling()
            async with desk_of(store) as desk:
                jobs = [await desk.submit(enrolling.work("ann", require_budget=budget)) for _ in range(4)]
                with pytest.raises(Overloaded, match="4 unfinished"):
                    await desk.submit(enrolling.work("ann"))
                with pytest.raises(Overloaded, match="TWOFOLD_MAX_UPLOAD_MEMORY_BYTES"):
                    await desk.submit(enrolling.work(*(f"{n}" for n in range(200)), client="bea"))
                assert {(await over(desk, job.job_id)).state for job in jobs} == {"succeeded"}
                await over(desk, (await desk.submit(enrolling.work("ann"))).job_id)

        asyncio.run(scenario())
