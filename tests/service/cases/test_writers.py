"""C17: another program keeps a store for itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from service.errors import NotFound, StoreUnavailable
from service.jobs import SqliteJobStore
from service.speakers import SpeakerDirectory, SqliteGallery, directory
from service.stores.threads import StoreThreads
from tests.service.jobs.test_store import ROOMY, new_job

WRITERS = 12
BUSY_S = 1.0
FEW_S = 6.0  # one after another would take 12 s


@contextmanager
def kept_by_another(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_c17_writers_give_up_side_by_side_and_readers_go_on(tmp_path: Path) -> None:
    job, start = new_job(), threading.Barrier(WRITERS + 1)

    def write(store: SqliteJobStore) -> None:
        start.wait()
        with pytest.raises(StoreUnavailable, match="locked"):
            store.add(new_job(), **ROOMY)

    path = tmp_path / "jobs.sqlite"
    with closing(SqliteJobStore(path, busy_timeout_s=BUSY_S)) as store, ThreadPoolExecutor(WRITERS) as pool:
        store.add(job, **ROOMY)
        with kept_by_another(path):
            writing = [pool.submit(write, store) for _ in range(WRITERS)]
            start.wait()
            started = time.monotonic()
            assert store.get(job.job_id) == job
            assert not all(future.done() for future in writing)
            for future in writing:
                future.result()
            assert time.monotonic() - started < FEW_S
        store.add(new_job(), **ROOMY)
        assert len(store.list(limit=9).jobs) == 2


def test_c17_a_write_does_not_wait_for_a_row_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_TURN_S", BUSY_S)

    async def erase(gallery: SqliteGallery) -> set[type]:
        with closing(StoreThreads()) as threads:
            speakers = SpeakerDirectory(gallery, threads)
            erasing = [speakers.delete("ann") for _ in range(WRITERS)]
            return set(map(type, await asyncio.gather(*erasing, return_exceptions=True)))

    path = tmp_path / "speakers.sqlite"
    with closing(SqliteGallery(path, busy_timeout_s=BUSY_S)) as gallery:
        with kept_by_another(path):
            started = time.monotonic()
            assert asyncio.run(erase(gallery)) == {StoreUnavailable}
            assert time.monotonic() - started < FEW_S
        assert asyncio.run(erase(gallery)) == {NotFound}
